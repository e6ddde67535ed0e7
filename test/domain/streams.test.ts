import { describe, expect, it } from 'vitest'
import type { Principal } from '../../src/domain/account.ts'
import { type EventDraft, parseEventId, parseEventType } from '../../src/domain/event.ts'
import type { ExpectedVersion } from '../../src/domain/ports.ts'
import { parseProducerId } from '../../src/domain/producer.ts'
import { scavenge } from '../../src/domain/scavenge.ts'
import { parseStreamName } from '../../src/domain/stream-name.ts'
import { createStreams } from '../../src/domain/streams.ts'
import type { JsonText } from '../../src/kit/json-text.ts'
import { engines } from '../contract/engines.ts'
import { id } from '../gateway/atompub-request.ts'
import { verifiedStores } from '../support/store.ts'

const S = parseStreamName('s')
const ANY: ExpectedVersion = { kind: 'any' }
const ADMIN: Principal = { name: 'a', role: 'admin', isAnonymous: false }

const draft = (n: number, type = 't', body = `{"n":${n}}`): EventDraft => ({
  eventId: parseEventId(id(n)),
  eventType: parseEventType(type),
  body: { kind: 'json', text: body as JsonText },
})

describe.each(engines)('streams on engine $name', (engine) => {
  const open = verifiedStores(engine)

  async function openStreams() {
    const { store, clock } = await open()
    const streams = createStreams({ log: store.log, clock })
    const write = (n: number, stream = 's', expectedVersion = ANY) =>
      streams.writer.append({
        stream: parseStreamName(stream),
        expectedVersion,
        createdBy: 'a',
        events: [draft(n)],
      })
    const setMetadata = (stream: string, document: string, n: number) =>
      streams.writer.append({
        stream: parseStreamName(`$$${stream}`),
        expectedVersion: ANY,
        createdBy: 'a',
        events: [draft(n, '$metadata', document)],
      })
    const shown = async () => {
      const info = await streams.info(S)
      const items = await streams.items(info, 0, info.last)
      return [info.state, items.map((item) => item.event?.number)]
    }
    return { store, clock, streams, write, setMetadata, shown }
  }

  it('events are shown as long as their age allows', async () => {
    const { clock, write, setMetadata, shown } = await openStreams()
    for (let n = 0; n < 10; n++) {
      await write(n)
      clock.nowMs += 1000
    }
    await setMetadata('s', '{"$maxAge":4}', 100)
    expect(await shown()).toEqual(['live', [9, 8, 7, 6]])
    clock.nowMs += 2000
    expect(await shown()).toEqual(['live', [9, 8]])
    clock.nowMs += 60_000
    expect(await shown()).toEqual(['live', []])
    await write(10)
    expect(await shown()).toEqual(['live', [10]])
    await setMetadata('s', '{"$maxAge":60,"$maxCount":2}', 101)
    expect(await shown()).toEqual(['live', [10]])
  })

  it('a stream that belongs to a producer is deleted softly by that one only', async () => {
    const { store, streams, shown } = await openStreams()
    const producer = parseProducerId(id(7))
    const deletion = { stream: S, expectedVersion: ANY, createdBy: 'a' }
    await store.log.append({
      ...deletion,
      retryRule: 'equal-id',
      producer,
      claims: true,
      events: [draft(1)],
    })
    const stranger = parseProducerId(id(8))
    for (const other of [{}, { producer: stranger }]) {
      const refused = streams.writer.softDelete({ ...deletion, ...other })
      await expect(refused).rejects.toMatchObject({ code: 'stream-locked' })
    }
    expect(await shown()).toEqual(['live', [0]])
    await streams.writer.softDelete({ ...deletion, producer })
    expect(await shown()).toEqual(['soft-deleted', []])
  })

  it('who may not read a stream may not read what scavenging leaves of it', async () => {
    const { store, clock, streams, write, setMetadata } = await openStreams()
    const reader: Principal = { name: 'r', role: 'reader', isAnonymous: false }
    await write(1)
    await setMetadata('s', '{"$acl":{"$r":"boss"}}', 100)
    expect(await streams.rights.allows(reader, 'read', S)).toBe(false)
    await streams.writer.hardDelete({ stream: S, expectedVersion: ANY, createdBy: 'a' })
    expect((await scavenge(store.log, clock)).removed).toBe(1)
    expect(await streams.rights.allows(reader, 'read', S)).toBe(false)
  })

  it('a writer who dies between opening a deleted stream and appending leaves it deleted', async () => {
    const { streams, write, setMetadata, shown } = await openStreams()
    await write(0)
    await write(1)
    await streams.writer.softDelete({ stream: S, expectedVersion: ANY, createdBy: 'a' })
    // The first of the two steps, and no more.
    await setMetadata('s', '{"$tb":2}', 100)
    expect(await shown()).toEqual(['soft-deleted', []])
    expect(await write(2)).toBe(2)
    expect(await shown()).toEqual(['live', [2]])
  })

  it('of writers who open a deleted stream at once, each is seen', async () => {
    const { streams, write, shown } = await openStreams()
    await write(0)
    await streams.writer.softDelete({ stream: S, expectedVersion: ANY, createdBy: 'a' })
    const versions = await Promise.all([1, 2, 3, 4, 5].map((n) => write(n)))
    expect(versions.toSorted()).toEqual([1, 2, 3, 4, 5])
    expect(await shown()).toEqual(['live', [5, 4, 3, 2, 1]])
  })

  it('opening a deleted stream keeps what else its metadata says', async () => {
    const { streams, write, setMetadata } = await openStreams()
    await write(0)
    await setMetadata('s', '{"$tb":9223372036854775807,"mine":[1]}', 100)
    await write(1)
    const stored = await streams.metadata(S)
    expect(stored?.event.data).toEqual({ kind: 'json', text: '{"$tb":1,"mine":[1]}' })
  })

  it('of writers with the same expected version one goes through', async () => {
    const { write } = await openStreams()
    await write(0)
    const version: ExpectedVersion = { kind: 'version', version: 0 }
    const tries = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => write(n, 's', version)))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('a stream of a producer takes events from nobody else', async () => {
    const { store, streams, write } = await openStreams()
    const producer = parseProducerId(id(77))
    const request = { stream: S, expectedVersion: ANY, createdBy: 'a', producer }
    await store.log.append({ ...request, claims: true, retryRule: 'equal-id', events: [draft(0)] })
    await expect(write(1)).rejects.toMatchObject({ code: 'stream-locked' })
    expect(await streams.writer.append({ ...request, events: [draft(1)] })).toBe(1)
    await expect(
      streams.writer.hardDelete({ stream: S, expectedVersion: ANY, createdBy: 'a' }),
    ).rejects.toMatchObject({ code: 'stream-locked' })
  })

  it('a link that somebody wrote is followed, its own id kept', async () => {
    const { streams, write } = await openStreams()
    await write(0)
    const link = draft(1, '$>', '0')
    const bytes = Buffer.from('0@s')
    await streams.writer.append({
      stream: parseStreamName('links'),
      expectedVersion: ANY,
      createdBy: 'a',
      events: [{ ...link, body: { kind: 'bytes', mediaType: 'text/plain', bytes } }],
    })
    const info = await streams.info(parseStreamName('links'))
    const [item] = await streams.follow(await streams.items(info, 0, 0), ADMIN)
    expect(item).toMatchObject({
      kind: 'link',
      link: { eventId: id(1) },
      event: { eventId: id(0) },
    })
  })

  it('links that the store makes have ids that stay', async () => {
    const { streams, write } = await openStreams()
    await write(0, 'a-1')
    const info = await streams.info(parseStreamName('$ce-a'))
    const [item] = await streams.items(info, 0, 0)
    expect(item).toMatchObject({ kind: 'link', target: { stream: 'a-1', number: 0 } })
    expect(item?.kind === 'link' && item.link.eventId).toBe('e021dcee-5114-877f-8889-56f2da0b6f34')
  })
})
