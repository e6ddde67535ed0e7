/** Ranges of the event log against the same ranges of an array. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type EventHash,
  type EventId,
  type EventType,
  parseStoredEvent,
} from '../../src/domain/event.ts'
import { createEventLog, type EventLog, type RangeQuery } from '../../src/domain/event-log.ts'
import type { LogEngine } from '../../src/domain/ports.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { firstNumberAt, readSequenceRange } from '../../src/domain/sequence-range.ts'
import type { StreamName } from '../../src/domain/stream-name.ts'
import type { JsonText } from '../../src/kit/json-text.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { collect } from '../support/store.ts'

type Row = { readonly hash: EventHash; readonly stream: string; readonly type: string }

const STREAMS = ['a', 'b', 'c']
const TYPES = ['t', 'u']

async function fill(count: number, bodyBytes = 1): Promise<{ engine: LogEngine; rows: Row[] }> {
  const engine = createMemoryStore({ clock: { now: () => 0 } }).log
  const rows: Row[] = []
  for (let n = 0; n < count; n++) {
    const stream = STREAMS[(n * 7) % 3] as StreamName
    const type = TYPES[(n * 5) % 7 > 3 ? 1 : 0] as EventType
    const { events } = await engine.append({
      stream,
      expectedVersion: { kind: 'any' },
      retryRule: 'equal-content',
      createdBy: 'x',
      events: [
        {
          eventId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as EventId,
          eventType: type,
          body: { kind: 'json', text: `"${'x'.repeat(bodyBytes)}"` as JsonText },
        },
      ],
    })
    rows.push({ hash: events[0]?.hash as EventHash, stream, type })
  }
  return { engine, rows }
}

async function read(log: EventLog, query: RangeQuery) {
  const { tag, runs } = await log.range(query)
  return { tag, hashes: (await collect(runs)).flat().map(({ hash }) => hash) }
}

/** The same range, written down as what it means. */
function expected(rows: readonly Row[], query: RangeQuery) {
  const at = (hash: EventHash) => rows.findIndex((row) => row.hash === hash)
  const inside = rows.filter(
    ({ stream, type }, n) =>
      (query.from === undefined || n >= at(query.from)) &&
      (query.after === undefined || n > at(query.after)) &&
      (query.to === undefined || n <= at(query.to)) &&
      (query.before === undefined || n < at(query.before)) &&
      (query.stream === undefined || stream === query.stream) &&
      (query.type === undefined || type === query.type),
  )
  const ordered = query.direction === 'forwards' ? inside : inside.toReversed()
  const chosen = ordered.slice(0, query.limit).map(({ hash }) => hash)
  return { tag: query.direction === 'forwards' ? chosen.at(-1) : chosen[0], hashes: chosen }
}

describe('a range of the event log', () => {
  it('holds what its bounds, filters and limit say', async () => {
    const { engine, rows } = await fill(60)
    const log = createEventLog(engine)
    const hash = fc.constantFrom(...rows.map((row) => row.hash))
    const query = fc.record(
      {
        from: hash,
        after: hash,
        to: hash,
        before: hash,
        limit: fc.integer({ min: 1, max: 70 }),
        stream: fc.constantFrom(...STREAMS, 'none') as fc.Arbitrary<StreamName>,
        type: fc.constantFrom(...TYPES, 'none') as fc.Arbitrary<EventType>,
        direction: fc.constantFrom('forwards' as const, 'backwards' as const),
      },
      { requiredKeys: ['direction'] },
    )
    await fc.assert(
      fc.asyncProperty(query, async (range) => {
        expect(await read(log, range)).toEqual(expected(rows, range))
      }),
      { numRuns: 1000, seed: 42 },
    )
  })

  it('is settled when it is asked for, whatever is appended while it is read', async () => {
    const { engine, rows } = await fill(3)
    const { tag, runs } = await createEventLog(engine).range({ direction: 'forwards' })
    await engine.append({
      stream: 'a' as StreamName,
      expectedVersion: { kind: 'any' },
      retryRule: 'equal-content',
      createdBy: 'x',
      events: [
        {
          eventId: '00000000-0000-4000-8000-00000000ffff' as EventId,
          eventType: 't' as EventType,
          body: { kind: 'json', text: '1' as JsonText },
        },
      ],
    })
    expect(tag).toBe(rows[2]?.hash)
    expect((await collect(runs)).flat()).toHaveLength(3)
  })
})

describe('a long sequence', () => {
  it('is read in pages that stay small in bytes, both ways', async () => {
    const { engine } = await fill(600, 20_000)
    for (const direction of ['forwards', 'backwards'] as const) {
      const pages = await collect(
        readSequenceRange(engine, streamSequence('a'), 10, 190, direction),
      )
      const versions = pages
        .flat()
        .map((event) => (parseStoredEvent(event) as unknown as { version: number }).version)
      const all = Array.from({ length: 180 }, (_, n) => n + 10)
      expect(versions).toEqual(direction === 'forwards' ? all : all.toReversed())
      for (const page of pages) expect(page.length * 20_000).toBeLessThan(1_500_000)
    }
  })

  it('knows the first number at any position in few reads', async () => {
    const { engine } = await fill(600)
    let reads = 0
    const counted: LogEngine = {
      head: () => engine.head(),
      append: (request) => engine.append(request),
      read: (position) => engine.read(position),
      findHash: (hash) => engine.findHash(hash),
      findEventId: (stream, id) => engine.findEventId(stream, id),
      findEventIdAnywhere: (id) => engine.findEventIdAnywhere(id),
      sequenceHead: (sequence) => engine.sequenceHead(sequence),
      sequenceNumber: (...all) => engine.sequenceNumber(...all),
      streamState: (stream) => engine.streamState(stream),
      waitForMore: (...all) => engine.waitForMore(...all),
      readSequence: (...all) => {
        reads++
        return engine.readSequence(...all)
      },
      readLog: (...all) => engine.readLog(...all),
      verify: () => engine.verify(),
      importEvents: (events) => engine.importEvents(events),
      scavenge: (drop) => engine.scavenge(drop),
      close: () => engine.close(),
    }
    // Stream `a` holds every third event: number n stands at position 3n.
    for (let position = 0; position <= 600; position++) {
      reads = 0
      const number = await firstNumberAt(counted, streamSequence('a'), position)
      expect([position, number]).toEqual([position, Math.ceil(position / 3)])
      expect(reads).toBeLessThan(20)
    }
  })
})
