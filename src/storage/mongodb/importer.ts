/**
 * Takes in events that have their text and hash already, byte for byte. Each group is a commit of its own:
 * an import that broke off goes on behind the last one.
 */
import type { EventId, ParsedEvent } from '../../domain/event.ts'
import { checkLinkedEvent, refusedImport } from '../../domain/linked-event.ts'
import type { ImportCount, LinkedEvent, Progress, StreamState } from '../../domain/ports.ts'
import { type SequenceKey, streamsSequence } from '../../domain/sequence.ts'
import { Numbering, type PlannedRow } from '../database/append-plan.ts'
import { sequencesFor } from '../database/event-sequences.ts'
import { type LogPoint, LogState } from '../database/log-state.ts'
import { Committer, DOCUMENT_BYTES, EVENT_ROOM } from './committer.ts'
import type { Connection } from './connection.ts'
import { pointOf, toCommit } from './documents.ts'
import type { LogReads } from './log-reads.ts'
import { readInto } from './log-state.ts'
import { lastCommit, type Visible } from './visible.ts'

const GROUP_BYTES = 1 << 20
const GROUP_EVENTS = 1000

type Taken = {
  readonly linked: LinkedEvent
  readonly event: ParsedEvent
  readonly position: number
}

export class Importer {
  private readonly connection: Connection
  private readonly visible: Visible
  private readonly reads: LogReads

  constructor(connection: Connection, visible: Visible, reads: LogReads) {
    this.connection = connection
    this.visible = visible
    this.reads = reads
  }

  /** @throws AppError `import-refused` */
  async take(events: AsyncIterable<LinkedEvent>, progress: Progress): Promise<ImportCount> {
    const there = (await this.reads.head()).count
    const stored = this.eachEvent(there)
    let position = 0
    let bytes = 0
    let group: Taken[] = []
    const flush = async () => {
      if (group.length > 0) await this.writeGroup(group)
      group = []
      bytes = 0
      progress(position, position)
    }
    for await (const linked of events) {
      const event = checkLinkedEvent(linked, position)
      if (linked.json.length + EVENT_ROOM > DOCUMENT_BYTES) {
        throw refusedImport(position, 'is too large for a document of MongoDB')
      }
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

  private async *eachEvent(count: number) {
    for await (const run of this.reads.runs(0, count, 'forwards')) yield* run
  }

  private async writeGroup(group: readonly Taken[]): Promise<void> {
    const state = await this.readState(group)
    const [first] = group
    const isNext =
      state.point.count === first?.position && state.point.hash === first.linked.previous
    if (!isNext) throw refusedImport(first?.position ?? 0, 'does not follow the end of the log')
    const numbering = new Numbering(state)
    const rows = group.map((taken) => toRow(numbering, taken))
    const to = pointBehind(state.point, group)
    const commit = toCommit(state.point, to, rows, ownersBehind(state, group))
    if (!(await new Committer(this.connection, this.visible).put(commit))) {
      throw refusedImport(first.position, 'could not be written; run the import again')
    }
  }

  private readState(group: readonly Taken[]): Promise<LogState> {
    const sequences = new Set<SequenceKey>([streamsSequence])
    const streams = new Set<string>()
    for (const { event } of group) {
      const { streamType, type, category } = sequencesFor(event.stream, event.eventType)
      streams.add(event.stream)
      sequences.add(streamType).add(type)
      if (category) sequences.add(category)
    }
    const question = { streams: [...streams], sequences: [...sequences], ids: [] }
    return this.connection.read(async (collections) => {
      const state = new LogState(pointOf(await lastCommit(collections)))
      await this.visible.reach(state.point.count)
      await readInto(state, collections, question)
      return state
    })
  }
}

function toRow(numbering: Numbering, { linked, event, position }: Taken): PlannedRow {
  const { hash, json, isScavenged } = linked
  return {
    event: { position, hash, json, ...(isScavenged && { isScavenged }) },
    eventId: event.eventId.toLowerCase() as EventId,
    ...numbering.next(event.stream, event.eventType),
    producer: event.producer,
  }
}

/** To whom the streams of a group belong once it is stored. */
function ownersBehind(state: LogState, group: readonly Taken[]): ReadonlyMap<string, StreamState> {
  const streams = new Map(state.streams)
  for (const { event } of group) {
    const owner = streams.get(event.stream)?.owner ?? event.producer
    streams.set(event.stream, { ...(owner && { owner }), isDeleted: false })
  }
  return streams
}

function pointBehind(from: LogPoint, group: readonly Taken[]): LogPoint {
  const times = group.map(({ event }) => Date.parse(event.createdAt) || 0)
  return {
    count: from.count + group.length,
    hash: group.at(-1)?.linked.hash ?? from.hash,
    createdAtMs: Math.max(from.createdAtMs, ...times),
  }
}
