/** Appends to streams that were deleted softly: whichever way they come, what was taken in is seen. */
import { describe, expect, it } from 'vitest'
import { createBrokerStream } from '../../src/domain/broker/broker-stream.ts'
import { createEventLog } from '../../src/domain/event-log.ts'
import type { AppendRequest, LogEngine } from '../../src/domain/ports.ts'
import { parseProducerId } from '../../src/domain/producer.ts'
import { scavenge } from '../../src/domain/scavenge.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { parseStreamName } from '../../src/domain/stream-name.ts'
import { createStreams } from '../../src/domain/streams.ts'
import { engines } from '../contract/engines.ts'
import { appendTo, draft, membersOf, uuid } from '../support/drafts.ts'
import { verifiedStores } from '../support/store.ts'

const S = parseStreamName('s')
const METADATA = parseStreamName('$$s')
const OWNER = parseProducerId(uuid(1001))

describe.each(engines)('appends to deleted streams on engine $name', (engine) => {
  const open = verifiedStores(engine)

  /** A stream of two events that was deleted softly. */
  async function openDeleted(first: Partial<AppendRequest> = {}) {
    const { store, clock } = await open()
    const streams = createStreams({ log: store.log, clock })
    const events = createEventLog(store.log)
    await events.append(appendTo('s', [draft(1), draft(2)], first))
    const { producer } = first
    const remove = () =>
      streams.writer.softDelete({
        stream: S,
        expectedVersion: { kind: 'any' },
        createdBy: 'a',
        ...(producer && { producer }),
      })
    await remove()
    const shown = async () => {
      const info = await streams.info(S)
      const items = await streams.items(info, 0, info.last)
      return [info.state, items.map((item) => item.event?.number)]
    }
    expect(await shown()).toEqual(['soft-deleted', []])
    return { store, clock, streams, events, remove, shown }
  }

  const documents = async (log: LogEngine) =>
    ((await log.sequenceHead(streamSequence(METADATA)))?.number ?? -1) + 1

  it('are seen, and stay when what is deleted is removed', async () => {
    const { store, clock, events, remove, shown } = await openDeleted()
    await events.append(appendTo('s', [draft(3), draft(4)]))
    expect(await shown()).toEqual(['live', [3, 2]])
    await events.append(appendTo('s', [draft(5)]))
    expect(await shown()).toEqual(['live', [4, 3, 2]])
    await scavenge(store.log, clock)
    const members = await store.log.readSequence(streamSequence(S), 0, 'forwards', 9)
    expect(members.map(({ event }) => membersOf(event)['body'])).toEqual([
      null,
      null,
      { n: 3 },
      { n: 4 },
      { n: 5 },
    ])
    await remove()
    await events.append(appendTo('s', [draft(6)]))
    expect(await shown()).toEqual(['live', [5]])
    expect(await documents(store.log)).toBe(4)
  })

  it('of the broker are seen as well', async () => {
    const { store, shown } = await openDeleted()
    const stream = createBrokerStream(store.log, S)
    await stream.insert({ payload: { class: 'simple', message: 'm' }, causation: 0 })
    expect(await shown()).toEqual(['live', [2]])
  })

  it('open the stream once when they come at the same time', async () => {
    const { store, events, shown } = await openDeleted()
    const added = [3, 4, 5, 6].map((n) => events.append(appendTo('s', [draft(n)])))
    await Promise.all(added)
    expect(await shown()).toEqual(['live', [5, 4, 3, 2]])
    expect(await documents(store.log)).toBe(2)
  })

  it('are retried without opening the stream again', async () => {
    const { store, events, remove, shown } = await openDeleted()
    const again = await events.append(appendTo('s', [draft(1), draft(2)]))
    expect(again.kind).toBe('already-there')
    expect(await shown()).toEqual(['soft-deleted', []])
    await events.append(appendTo('s', [draft(3)]))
    await remove()
    const { count } = await store.log.head()
    expect((await events.append(appendTo('s', [draft(3)]))).kind).toBe('already-there')
    expect(await shown()).toEqual(['soft-deleted', []])
    expect((await store.log.head()).count).toBe(count)
  })

  it('go on where somebody died before the events were appended', async () => {
    const { store, events, shown } = await openDeleted()
    const failing: LogEngine = Object.create(store.log, {
      append: {
        value: (request: AppendRequest) => {
          if (request.stream === S) throw new Error('killed')
          return store.log.append(request)
        },
      },
    })
    const dying = createEventLog(failing).append(appendTo('s', [draft(3)]))
    await expect(dying).rejects.toThrow('killed')
    expect(await shown()).toEqual(['soft-deleted', []])
    await events.append(appendTo('s', [draft(3)]))
    expect(await shown()).toEqual(['live', [2]])
    expect(await documents(store.log)).toBe(2)
  })

  it('leave the stream deleted where they are refused', async () => {
    const { store, events, shown } = await openDeleted({ producer: OWNER, claims: true })
    const { head, count } = await store.log.head().then((at) => ({ head: at.hash, ...at }))
    const owned = { producer: OWNER }
    const version = (n: number) => ({ expectedVersion: { kind: 'version', version: n } }) as const
    const refusals: [AppendRequest, string][] = [
      [appendTo('s', [draft(3)]), 'stream-locked'],
      [appendTo('s', [draft(3)], { ...owned, expectedHead: uuid(9) }), 'head-mismatch'],
      [appendTo('s', [draft(3)], { ...owned, ...version(0) }), 'wrong-expected-version'],
      [
        appendTo('s', [draft(3)], { ...owned, expectedVersion: { kind: 'no-stream' } }),
        'wrong-expected-version',
      ],
      [appendTo('s', [draft(1, { type: 'other' })], owned), 'event-id-conflict'],
    ]
    for (const [request, code] of refusals) {
      await expect(events.append(request), code).rejects.toMatchObject({ code })
    }
    expect(await shown()).toEqual(['soft-deleted', []])
    expect((await store.log.head()).count).toBe(count)
    await events.append(appendTo('s', [draft(3)], { ...owned, ...version(1), expectedHead: head }))
    expect(await shown()).toEqual(['live', [2]])
    expect((await store.log.head()).count).toBe(count + 2)
  })

  it('by events leave the stream of another producer deleted', async () => {
    const { store, streams } = await openDeleted({ producer: OWNER, claims: true })
    const { count } = await store.log.head()
    const { retryRule, ...write } = appendTo('s', [draft(3)])
    await expect(streams.writer.append(write)).rejects.toMatchObject({ code: 'stream-locked' })
    expect((await store.log.head()).count).toBe(count)
  })

  it('that expect a head let nobody come between it and them', async () => {
    const { store, events, shown } = await openDeleted()
    const { hash: expectedHead } = await store.log.head()
    const overtaken: LogEngine = Object.create(store.log, {
      append: {
        value: async (request: AppendRequest) => {
          if (request.stream === S) await store.log.append(appendTo('t', [draft(9)]))
          return store.log.append(request)
        },
      },
    })
    const late = createEventLog(overtaken).append(appendTo('s', [draft(3)], { expectedHead }))
    const head = async () => (await store.log.head()).hash
    const error = await late.catch((thrown) => thrown)
    expect(error).toMatchObject({
      code: 'head-mismatch',
      facts: { expected: expectedHead, head: await head() },
    })
    expect(await shown()).toEqual(['soft-deleted', []])
    const again = appendTo('s', [draft(3)], { expectedHead: await head() })
    expect((await events.append(again)).kind).toBe('appended')
    expect(await shown()).toEqual(['live', [2]])
  })

  it('cost nothing more where a stream has no metadata', async () => {
    const { store } = await open()
    const asked: string[] = []
    const counting = new Proxy(store.log, {
      get: (log, name: keyof LogEngine) => {
        const value = log[name]
        if (typeof value !== 'function') return value
        asked.push(name)
        return value.bind(log)
      },
    })
    const events = createEventLog(counting)
    await events.append(appendTo('s', [draft(1)]), { metadata: undefined })
    expect(asked).toEqual(['append'])
  })
})
