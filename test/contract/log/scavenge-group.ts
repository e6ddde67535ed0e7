import { describe, expect, test } from 'vitest'
import { type StoredEvent, TOMBSTONE_TYPE } from '../../../src/domain/event.ts'
import type { Store } from '../../../src/domain/ports.ts'
import { scavenge } from '../../../src/domain/scavenge.ts'
import { streamSequence } from '../../../src/domain/sequence.ts'
import { parseStreamName } from '../../../src/domain/stream-name.ts'
import { appendTo, draft, jsonBody, membersOf, textOf, uuid } from '../../support/drafts.ts'
import { collect } from '../../support/store.ts'
import type { Open } from './open.ts'

const all = async ({ log }: Store, direction: 'forwards' | 'backwards' = 'forwards') =>
  (await collect(log.readLog(0, Number.MAX_SAFE_INTEGER, direction))).flat()

const copyOf = ({ position, hash, json }: StoredEvent) => ({
  position,
  hash,
  text: Buffer.from(json).toString(),
})

async function describeStream({ log }: Store, stream: string, document: object): Promise<void> {
  const event = {
    ...draft(9000 + Math.floor(Math.random() * 900_000), { type: '$metadata' }),
    body: jsonBody(JSON.stringify(document)),
  }
  await log.append(appendTo(`$$${stream}`, [event]))
}

/** 60 events in three streams, 20 in batches of four; `s-0` ends with a tombstone. */
async function fill(store: Store): Promise<void> {
  for (let n = 0; n < 40; n++) await store.log.append(appendTo(`s-${n % 3}`, [secret(n)]))
  for (let n = 40; n < 60; n += 4) {
    const batch = [0, 1, 2, 3].map((at) => secret(n + at))
    await store.log.append(appendTo(`s-${n % 3}`, batch))
  }
  await store.log.append(appendTo('s-0', [draft(100, { type: TOMBSTONE_TYPE })]))
  await store.log.append(appendTo('s-1', [secret(101)]))
}

const secret = (n: number) => ({
  ...draft(n, { metadata: '{"trace":"secret"}' }),
  body: jsonBody(JSON.stringify({ n, secret: 'secret'.repeat(60) })),
})

/** Removing the bodies of what nobody can see. */
export function scavengeGroup(open: Open): void {
  describe('scavenging', () => {
    test('removes the bodies of a deleted stream and leaves all else as it was', async () => {
      const { store, clock } = await open()
      await fill(store)
      const before = (await all(store)).map(copyOf)
      const report = await scavenge(store.log, clock)
      const gone = before.filter(({ text }) => text.includes('"stream":"s-0"')).length - 1
      expect(report).toMatchObject({ events: 62, removed: gone })
      expect(report.bytesFreed).toBeGreaterThan(0)
      const after = await all(store)
      expect(after.map(({ hash }) => hash)).toEqual(before.map(({ hash }) => hash))
      for (const [at, event] of after.entries()) {
        const { text, position } = before[at] ?? { text: '', position: -1 }
        const wasDeleted = text.includes('"stream":"s-0"') && !text.includes(TOMBSTONE_TYPE)
        expect(event.isScavenged).toBe(wasDeleted ? true : undefined)
        if (wasDeleted) expect(textOf(event)).not.toContain('secret')
        else expect(textOf(event)).toBe(text)
        expect(copyOf((await store.log.read(position)) ?? event)).toEqual(copyOf(event))
      }
      expect((await all(store, 'backwards')).map(copyOf)).toEqual(after.map(copyOf).reverse())
      const verified = await store.log.verify()
      expect(verified).toMatchObject({ findings: [], counts: { events: 62, scavenged: gone } })
    })

    test('keeps what an event is besides its body, in so many words', async () => {
      const { store, clock } = await open()
      await store.log.append(appendTo('s', [secret(1)]))
      await store.log.append(appendTo('s', [draft(2, { type: TOMBSTONE_TYPE })]))
      const whole = membersOf(await store.log.read(0))
      await scavenge(store.log, clock)
      const left = await store.log.read(0)
      expect(textOf(left)).toBe(
        `{"eventId":"${uuid(1)}","eventType":"${whole['eventType']}","stream":"s","version":0,` +
          `"position":0,"body":null,"scavenged":true,"createdBy":"${whole['createdBy']}",` +
          `"createdAt":"${whole['createdAt']}","hash":null}`,
      )
      expect(await store.log.findHash(left?.hash ?? ('' as never))).toBe(0)
      expect((await store.log.findEventId(parseStreamName('s'), uuid(1) as never))?.position).toBe(
        0,
      )
    })

    test('goes by $tb, $maxCount and $maxAge, and never by less', async () => {
      const { store, clock } = await open()
      for (let n = 0; n < 30; n++) {
        clock.nowMs += 1000
        await store.log.append(appendTo(['tb', 'count', 'age'][n % 3] ?? '', [secret(n)]))
      }
      await describeStream(store, 'tb', { $tb: 4 })
      await describeStream(store, 'count', { $maxCount: 3 })
      await describeStream(store, 'age', { $maxAge: 6 })
      expect(await scavenge(store.log, clock)).toMatchObject({ removed: 4 + 7 + 7 })
      const left = async (stream: string) => {
        const members = await store.log.readSequence(
          streamSequence(parseStreamName(stream)),
          0,
          'forwards',
          100,
        )
        return members.filter(({ event }) => !event.isScavenged).map(({ number }) => number)
      }
      expect(await left('tb')).toEqual([4, 5, 6, 7, 8, 9])
      expect(await left('count')).toEqual([7, 8, 9])
      expect(await left('age')).toEqual([7, 8, 9])
      expect(await scavenge(store.log, clock)).toMatchObject({ removed: 0, bytesFreed: 0 })
      await describeStream(store, 'tb', { $tb: 6 })
      // Two events of the stream, and the metadata document that was replaced.
      expect(await scavenge(store.log, clock)).toMatchObject({ removed: 3 })
      expect(await left('tb')).toEqual([6, 7, 8, 9])
    })

    test('leaves appends, retries and readers as they are', async () => {
      const { store, clock } = await open()
      await fill(store)
      await describeStream(store, 's-1', { $maxCount: 1 })
      const reading = all(store)
      const scavenging = scavenge(store.log, clock)
      for (let n = 200; n < 220; n++) await store.log.append(appendTo('s-2', [secret(n)]))
      await scavenging
      expect((await reading).length).toBeGreaterThanOrEqual(62)
      const retried = await store.log.append(appendTo('s-1', [secret(1)]))
      expect(retried.kind).toBe('already-there')
      expect(retried.events[0]?.isScavenged).toBe(true)
      await expect(
        store.log.append(appendTo('s-1', [{ ...secret(1), eventType: 'other' as never }])),
      ).rejects.toMatchObject({ code: 'event-id-conflict' })
      const next = await store.log.append(appendTo('s-1', [secret(300)]))
      expect(next.kind).toBe('appended')
      expect((await store.log.verify()).findings).toEqual([])
      expect((await all(store)).length).toBe(62 + 1 + 20 + 1)
    })
  })
}
