/** Ranges of which somebody may read a part, against the same ranges of an array. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventHash, EventType } from '../../src/domain/event.ts'
import { createEventLog, type RangeQuery } from '../../src/domain/event-log.ts'
import type { LogEngine } from '../../src/domain/ports.ts'
import type { EventFilter } from '../../src/domain/readable-events.ts'
import type { StreamName } from '../../src/domain/stream-name.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { appendTo, draft, jsonBody, membersOf } from '../support/drafts.ts'
import { codeOf } from '../support/test-accounts.ts'

type Row = { readonly hash: EventHash; readonly stream: string; readonly type: string }

/** One event for each letter, in the stream of that name; the types take turns. */
async function fill(letters: string, bodyBytes = 1): Promise<{ engine: LogEngine; rows: Row[] }> {
  const engine = createMemoryStore({ clock: { now: () => 0 } }).log
  const rows: Row[] = []
  for (const [n, stream] of [...letters].entries()) {
    const type = n % 3 === 0 ? 'u' : 't'
    const body = jsonBody(`"${'x'.repeat(bodyBytes)}"`)
    const { events } = await engine.append(appendTo(stream, [draft(n, { type, body })]))
    rows.push({ hash: events[0]?.hash as EventHash, stream, type })
  }
  return { engine, rows }
}

/** Streams with a small letter may be read. */
const isShown = (stream: string): boolean => stream === stream.toLowerCase()
const isReadable: EventFilter = (event) => isShown(String(membersOf(event)['stream']))

async function read(engine: LogEngine, query: RangeQuery, filter = isReadable) {
  const { tag, runs } = await createEventLog(engine).range(query, filter)
  const hashes: EventHash[] = []
  for await (const run of runs) hashes.push(...run.map(({ hash }) => hash))
  return { tag, hashes }
}

/** The same range, written down as what it means; `unknown` where a bound is hidden. */
function expected(rows: readonly Row[], query: RangeQuery) {
  const at = (hash: EventHash) => rows.findIndex((row) => row.hash === hash)
  const bounds = [query.from, query.after, query.to, query.before]
  if (bounds.some((hash) => hash && !isShown(rows[at(hash)]?.stream ?? ''))) return 'unknown'
  const inside = rows.filter(
    ({ stream, type }, n) =>
      isShown(stream) &&
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

/** The engine, and the numbers of events that it was asked for. */
function counted(engine: LogEngine): { engine: LogEngine; asked: () => number } {
  let asked = 0
  const counting = Object.create(engine) as LogEngine
  const own: Pick<LogEngine, 'read' | 'readLog'> = {
    read: (position) => {
      asked++
      return engine.read(position)
    },
    readLog: (low, high, direction) => {
      asked += high - low
      return engine.readLog(low, high, direction)
    },
  }
  return { engine: Object.assign(counting, own), asked: () => asked }
}

describe('a range of which some events are hidden', () => {
  it('holds what may be read of it, and its limit counts nothing else', async () => {
    const { engine, rows } = await fill('aBabBBBBBBBcabBaBBBBBBBBBBBBBBBBaaCbBB'.repeat(2))
    const hash = fc.constantFrom(...rows.map((row) => row.hash))
    const query = fc.record(
      {
        from: hash,
        after: hash,
        to: hash,
        before: hash,
        limit: fc.integer({ min: 1, max: 40 }),
        stream: fc.constantFrom('a', 'b', 'B', 'none') as fc.Arbitrary<StreamName>,
        type: fc.constantFrom('t', 'u', 'none') as fc.Arbitrary<EventType>,
        direction: fc.constantFrom('forwards' as const, 'backwards' as const),
      },
      { requiredKeys: ['direction'] },
    )
    const shown = async (range: RangeQuery) => {
      const code = await codeOf(read(engine, range))
      return code === 'event-not-found' ? 'unknown' : read(engine, range)
    }
    await fc.assert(
      fc.asyncProperty(query, async (range) => {
        expect(await shown(range)).toEqual(expected(rows, range))
      }),
      { numRuns: 1000, seed: 42 },
    )
  })

  it('of more than is kept in memory is read again while it is handed out', async () => {
    const { engine, rows } = await fill('aBbB'.repeat(20), 100_000)
    const query: RangeQuery = { direction: 'forwards', limit: 30 }
    const wanted = expected(rows, query)
    expect(await read(engine, query)).toEqual(wanted)
    const ofType: RangeQuery = { ...query, type: 't' as EventType, limit: 25 }
    expect(await read(engine, ofType)).toEqual(expected(rows, ofType))
  })

  it('of which nothing may be read has no tag', async () => {
    const { engine } = await fill('B'.repeat(50))
    for (const direction of ['forwards', 'backwards'] as const) {
      for (const limit of [1, 100, undefined]) {
        const query = { direction, ...(limit !== undefined && { limit }) }
        expect(await read(engine, query)).toEqual({ tag: undefined, hashes: [] })
      }
    }
  })

  it('asks for no more events than its limit where none of them is hidden', async () => {
    const { engine, asked } = counted((await fill('ab'.repeat(500))).engine)
    const page = await read(engine, { direction: 'forwards', limit: 100 })
    expect([page.hashes.length, asked()]).toEqual([100, 100])
    await read(engine, { direction: 'backwards', limit: 100 })
    // The highest one is asked for before the page.
    expect(asked()).toBe(201)
  })

  it('asks for all events without a limit once, and for the highest of them', async () => {
    const { engine, asked } = counted((await fill('ab'.repeat(500))).engine)
    const { hashes } = await read(engine, { direction: 'forwards' })
    expect([hashes.length, asked()]).toEqual([1000, 1001])
  })
})
