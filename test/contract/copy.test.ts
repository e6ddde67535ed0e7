/** A store that is copied from engine to engine is the same store. */
import { afterEach, describe, expect, test } from 'vitest'
import { copyStore } from '../../src/domain/copy-store.ts'
import { type StoredEvent, TOMBSTONE_TYPE } from '../../src/domain/event.ts'
import { linkedEvents } from '../../src/domain/linked-event.ts'
import type { LinkedEvent, Store } from '../../src/domain/ports.ts'
import { scavenge } from '../../src/domain/scavenge.ts'
import { sequencesOf } from '../../src/domain/sequence.ts'
import { appendTo, draft, jsonBody, textOf } from '../support/drafts.ts'
import { collect, type Engine, handClock, type OpenStore, verifyStore } from '../support/store.ts'
import { engines } from './engines.ts'

const opened: OpenStore[] = []
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close()
})

async function open(engine: Engine): Promise<Store> {
  const made = await engine.open({ clock: handClock() })
  opened.push(made)
  return made.store
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

/** Something of everything, 40 events of it. */
async function fill(store: Store): Promise<void> {
  for (let n = 0; n < 20; n++) {
    const body = jsonBody(`{"n":${n}.10,"text":"Größe 😀"}`)
    const events = [
      draft(2 * n, { type: `t${n % 3}`, body }),
      draft(2 * n + 1, { metadata: '{"a":1}' }),
    ]
    await store.log.append(appendTo(n % 2 ? `a-${n % 4}` : 'b', events))
  }
  await store.content.put(bytes('hello'), { filename: 'ö "1".txt', mediaType: 'text/plain' })
  await store.content.put(bytes(''), { filename: 'empty', mediaType: 'a/b' })
  await store.records.write('account', 'ann', { role: 'admin' }, 'absent')
  await store.records.write('offset', 'x/1', 5, 'absent')
  await store.records.write('offset', 'x/1', 6, 0)
}

const flagOf = (event: StoredEvent | undefined) => [textOf(event), event?.isScavenged]

/** All that can be read of a store, as values. */
async function contentsOf({ log, content, records }: Store) {
  const { count, hash } = await log.head()
  const events = (await collect(log.readLog(0, count, 'forwards'))).flat()
  const sequences: unknown[] = []
  const keys = new Set(events.flatMap((event) => sequencesOf(JSON.parse(textOf(event) ?? '{}'))))
  for (const key of [...keys].toSorted()) {
    const members = await log.readSequence(key, 0, 'forwards', 100)
    sequences.push([key, members.map(({ number, event }) => [number, event.position])])
  }
  const blobs: unknown[] = []
  for await (const info of content.list()) {
    const chunks = await collect((await content.read(info.hash)) ?? bytes('missing'))
    blobs.push({ info, text: Buffer.concat(chunks).toString() })
  }
  const kept: unknown[] = []
  for (const collection of ['account', 'offset']) {
    for (const { key, value } of await records.list(collection)) kept.push([collection, key, value])
  }
  return {
    head: { count, hash },
    events: events.map((event) => [event.position, event.hash, textOf(event)]),
    sequences,
    blobs: blobs.map((blob) => JSON.stringify(blob)).toSorted(),
    kept,
  }
}

const pairs = engines.flatMap((from) =>
  engines
    .filter((to) => to !== from)
    .map((to) => ({ from, to, name: `${from.name} to ${to.name}` })),
)

describe.each(pairs)('a copy from $name', ({ from, to }) => {
  test('has the same events, sequences, content and records, and takes appends', async () => {
    const source = await open(from)
    const target = await open(to)
    await fill(source)
    const counts = await copyStore(source, target, () => {})
    expect(counts).toEqual({
      events: { imported: 40, alreadyThere: 0, whole: 0 },
      content: { imported: 2, alreadyThere: 0 },
      records: { imported: 2, alreadyThere: 0, removed: 0 },
    })
    expect(await contentsOf(target)).toEqual(await contentsOf(source))
    const again = appendTo('b', [
      draft(0, { type: 't0', body: jsonBody('{"n":0.10,"text":"Größe 😀"}') }),
      draft(1, { metadata: '{"a":1}' }),
    ])
    expect((await target.log.append(again)).kind).toBe('already-there')
    const [event] = (await target.log.append(appendTo('b', [draft(99)]))).events
    expect(event?.position).toBe(40)
    await verifyStore(target)
  })

  test('of a scavenged log declares the same removals, also where it broke off', async () => {
    const source = await open(from)
    const target = await open(to)
    await fill(source)
    await source.log.append(appendTo('a-1', [draft(50, { type: TOMBSTONE_TYPE })]))
    const { removed } = await scavenge(source.log, handClock())
    expect(removed).toBe(10)
    const { count } = await source.log.head()
    async function* first() {
      let n = 0
      for await (const event of linkedEvents(source.log, count)) if (n++ < 25) yield event
    }
    await target.log.importEvents(first())
    expect((await copyStore(source, target, () => {})).events).toEqual({
      imported: 16,
      alreadyThere: 25,
      whole: 0,
    })
    expect(await contentsOf(target)).toEqual(await contentsOf(source))
    expect(await target.log.verify()).toMatchObject({
      findings: [],
      counts: { events: 41, scavenged: removed },
    })
    const single = await Promise.all([...Array(41).keys()].map((n) => target.log.read(n)))
    const wanted = (await collect(source.log.readLog(0, count, 'forwards'))).flat()
    expect(single.map(flagOf)).toEqual(wanted.map(flagOf))
    const back = (await collect(target.log.readLog(0, count, 'backwards'))).flat()
    expect(back.map(flagOf)).toEqual(wanted.map(flagOf).reverse())
    expect(await scavenge(target.log, handClock())).toMatchObject({ removed: 0 })
    const other = await open(from)
    await copyStore(target, other, () => {})
    expect(await contentsOf(other)).toEqual(await contentsOf(source))
    await verifyStore(other)
  })

  test('refuses what is left of an event where it says more than that', async () => {
    const source = await open(from)
    const target = await open(to)
    await fill(source)
    await source.log.append(appendTo('b', [draft(50, { type: TOMBSTONE_TYPE })]))
    await scavenge(source.log, handClock())
    async function* changed(): AsyncGenerator<LinkedEvent> {
      for await (const event of linkedEvents(source.log, 1)) {
        const text = Buffer.from(event.json).toString()
        yield { ...event, json: Buffer.from(text.replace('"body":null', '"body":1')) }
      }
    }
    await expect(target.log.importEvents(changed())).rejects.toMatchObject({
      code: 'import-refused',
      message: 'Event 0 says more than a removal leaves',
    })
    expect((await target.log.head()).count).toBe(0)
  })

  test('goes on where it broke off, and takes what is new', async () => {
    const source = await open(from)
    const target = await open(to)
    await fill(source)
    const broken = new Error('stopped')
    const { log } = target
    const importEvents = log.importEvents.bind(log)
    log.importEvents = async (events) => {
      let n = 0
      async function* first() {
        for await (const event of events) {
          if (n++ === 25) return
          yield event
        }
      }
      await importEvents(first())
      throw broken
    }
    await expect(copyStore(source, target, () => {})).rejects.toBe(broken)
    expect((await target.log.head()).count).toBe(25)
    log.importEvents = importEvents
    await source.log.append(appendTo('b', [draft(100)]))
    await source.records.write('offset', 'x/1', 7, 1)
    const counts = await copyStore(source, target, () => {})
    expect(counts.events).toEqual({ imported: 16, alreadyThere: 25, whole: 0 })
    expect(counts.content).toEqual({ imported: 0, alreadyThere: 2 })
    expect(await contentsOf(target)).toEqual(await contentsOf(source))
    await verifyStore(target)
  })

  test('tells what the source has scavenged since, and which records it has no more', async () => {
    const source = await open(from)
    const target = await open(to)
    await fill(source)
    await copyStore(source, target, () => {})
    await source.log.append(appendTo('a-1', [draft(50, { type: TOMBSTONE_TYPE })]))
    const { removed } = await scavenge(source.log, handClock())
    await source.records.remove('offset', 'x/1', 1)
    const counts = await copyStore(source, target, () => {})
    expect(counts.events).toEqual({ imported: 1, alreadyThere: 40, whole: removed })
    expect(counts.records).toEqual({ imported: 0, alreadyThere: 1, removed: 1 })
    expect(await scavenge(target.log, handClock())).toMatchObject({ removed })
    expect((await copyStore(source, target, () => {})).events.whole).toBe(0)
    expect(await contentsOf(target)).toEqual(await contentsOf(source))
    await verifyStore(target)
  })

  test('is refused where the target would lose its accounts and get none', async () => {
    const source = await open(from)
    const target = await open(to)
    await source.log.append(appendTo('b', [draft(7)]))
    await target.records.write('account-admins', 'all', [{ name: 'ann' }], 'absent')
    await expect(copyStore(source, target, () => {})).rejects.toMatchObject({
      code: 'import-refused',
      message: expect.stringContaining('The store of --to has accounts'),
    })
    expect((await target.log.head()).count).toBe(0)
    await source.records.write('account-admins', 'all', [{ name: 'eve' }], 'absent')
    expect((await copyStore(source, target, () => {})).events.imported).toBe(1)
  })

  test('is refused where the target holds another history', async () => {
    const source = await open(from)
    const target = await open(to)
    await fill(source)
    await target.log.append(appendTo('b', [draft(7)]))
    const before = await contentsOf(target)
    await expect(copyStore(source, target, () => {})).rejects.toMatchObject({
      code: 'import-refused',
    })
    expect(await contentsOf(target)).toEqual(before)
  })
})
