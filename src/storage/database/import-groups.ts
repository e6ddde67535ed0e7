/**
 * The way of an import into a database: events that have their text and hash already come group by group, and
 * those that are there are compared. How a group is stored, as a commit of its own, is the engine's own; an
 * import that broke off goes on behind the last one.
 */
import type { EventId, ParsedEvent, StoredEvent } from '../../domain/event.ts'
import { checkLinkedEvent, refusedImport } from '../../domain/linked-event.ts'
import type { ImportCount, LinkedEvent, Progress } from '../../domain/ports.ts'
import { type SequenceKey, streamsSequence } from '../../domain/sequence.ts'
import { Numbering, type PlannedRow } from './append-plan.ts'
import { sequencesFor } from './event-sequences.ts'
import type { LogPoint, LogState, Question } from './log-state.ts'

const GROUP_BYTES = 1 << 20
const GROUP_EVENTS = 1000

/** An event that is to be stored at a position. */
export type Taken = {
  readonly linked: LinkedEvent
  readonly event: ParsedEvent
  readonly position: number
}

type Target = {
  /** How many events are there already. */
  readonly there: number
  /** Those, from the first one. */
  readonly runs: AsyncIterable<readonly StoredEvent[]>
  /** Refuses what does not fit. */
  readonly check?: (linked: LinkedEvent, position: number) => void
  readonly write: (group: readonly Taken[]) => Promise<void>
}

/** @throws AppError `import-refused` */
export async function importGroups(
  events: AsyncIterable<LinkedEvent>,
  { there, runs, check, write }: Target,
  progress: Progress,
): Promise<ImportCount> {
  const stored = eachEvent(runs)
  let position = 0
  let bytes = 0
  let group: Taken[] = []
  const flush = async () => {
    if (group.length > 0) await write(group)
    group = []
    bytes = 0
    progress(position, position)
  }
  for await (const linked of events) {
    const event = checkLinkedEvent(linked, position)
    check?.(linked, position)
    if (position < there) {
      const { value } = await stored.next()
      if (value?.hash !== linked.hash) throw refusedImport(position, 'is another')
    } else {
      if (bytes + linked.json.length > GROUP_BYTES) await flush()
      group.push({ linked: { ...linked, json: Buffer.from(linked.json) }, event, position })
      bytes += linked.json.length
    }
    position++
    if (group.length >= GROUP_EVENTS) await flush()
    else if (position < there && position % GROUP_EVENTS === 0) progress(position, position)
  }
  await flush()
  return { imported: Math.max(0, position - there), alreadyThere: Math.min(position, there) }
}

async function* eachEvent(runs: AsyncIterable<readonly StoredEvent[]>) {
  for await (const run of runs) yield* run
}

/** What has to be known of the log to store a group. */
export function questionOfGroup(group: readonly Taken[]): Question {
  const sequences = new Set<SequenceKey>([streamsSequence])
  const streams = new Set<string>()
  for (const { event } of group) {
    const { streamType, type, category } = sequencesFor(event.stream, event.eventType)
    streams.add(event.stream)
    sequences.add(streamType).add(type)
    if (category) sequences.add(category)
  }
  return { streams: [...streams], sequences: [...sequences], ids: [] }
}

/** The rows of a group, and where the log ends behind them. @throws AppError `import-refused` */
export function planGroup(state: LogState, group: readonly Taken[]) {
  const [first] = group
  const isNext = state.point.count === first?.position && state.point.hash === first.linked.previous
  if (!isNext) throw refusedImport(first?.position ?? 0, 'does not follow the end of the log')
  const numbering = new Numbering(state)
  return {
    rows: group.map((taken) => toRow(numbering, taken)),
    point: pointBehind(state.point, group),
  }
}

/** For a group whose place was taken by others. */
export const notWritten = (group: readonly Taken[]) =>
  refusedImport(group[0]?.position ?? 0, 'could not be written; run the import again')

function toRow(numbering: Numbering, { linked, event, position }: Taken): PlannedRow {
  const { hash, json, isScavenged } = linked
  return {
    event: { position, hash, json, ...(isScavenged && { isScavenged }) },
    eventId: event.eventId.toLowerCase() as EventId,
    ...numbering.next(event.stream, event.eventType),
    producer: event.producer,
  }
}

function pointBehind(from: LogPoint, group: readonly Taken[]): LogPoint {
  const times = group.map(({ event }) => Date.parse(event.createdAt) || 0)
  return {
    count: from.count + group.length,
    hash: group.at(-1)?.linked.hash ?? from.hash,
    createdAtMs: Math.max(from.createdAtMs, ...times),
  }
}
