/**
 * How far each consumer has come: the number of events of one type in one stream that it has acknowledged.
 *
 * An offset is a record that is moved by compare-and-set alone and comes to be with the first move: reading
 * makes none. The offset n says that the events up to the sequence n, counted from 1, are done with.
 *
 * Where records were put back from a later moment than the log, an offset speaks of events that are not there,
 * and new ones would take their sequences and be passed over. Whoever meets such an offset sets it back to the
 * end first, for good: the end moves on with the next event.
 */
import { AppError } from './app-error.ts'
import { type ConsumerId, findConsumerId } from './consumer.ts'
import type { EventType } from './event.ts'
import type { Clock, LogEngine, RecordEngine, StoredRecord } from './ports.ts'
import { streamTypeSequence } from './sequence.ts'
import { sequenceEnd } from './sequence-range.ts'
import type { StreamName } from './stream-name.ts'

const OFFSETS = 'offset'
/** So many others may get in between before a move gives up. */
const TRIES = 50

/** Whose offset, and in what. */
export type OffsetKey = {
  readonly stream: StreamName
  readonly consumer: ConsumerId
  readonly eventType: EventType
}

export type Offset = OffsetKey & {
  readonly offset: number
  /** ISO 8601, UTC. */
  readonly movedAt: string
}

export type Offsets = {
  /** 0 where the consumer has acknowledged nothing; never behind the last event. */
  read(key: OffsetKey): Promise<number>
  /**
   * Moves an offset to where `next` says, given where it is; `undefined` leaves it. `next` runs again where
   * somebody else was faster.
   * @throws AppError `record-conflict` where that goes on for ever; what `next` throws
   */
  move(
    key: OffsetKey,
    next: (now: number) => number | undefined | Promise<number | undefined>,
  ): Promise<void>
  /** As they are stored: those of a stream, or all; in the order in which they came to be. */
  list(stream?: StreamName): Promise<readonly Offset[]>
}

type Parts = {
  readonly log: Pick<LogEngine, 'sequenceHead'>
  readonly records: RecordEngine
  readonly clock: Clock
}

export function createOffsets({ log, records, clock }: Parts): Offsets {
  const read = (key: OffsetKey) => records.read(OFFSETS, keyText(key))
  const move: Offsets['move'] = async (key, next) => {
    for (let tries = 1; ; tries++) {
      const record = await read(key)
      const stored = offsetOf(record)
      const now = await withinLog(log, key, stored)
      const offset = (await next(now)) ?? (now < stored ? now : undefined)
      if (offset === undefined) return
      const value: OffsetValue = { offset, movedAt: new Date(clock.now()).toISOString() }
      try {
        await records.write(OFFSETS, keyText(key), value, record?.revision ?? 'absent')
        return
      } catch (error) {
        if (!isConflict(error) || tries === TRIES) throw error
      }
    }
  }
  return {
    async read(key) {
      const stored = offsetOf(await read(key))
      const offset = await withinLog(log, key, stored)
      if (offset < stored) await move(key, () => undefined)
      return offset
    },
    move,
    list: async (stream) => (await records.list(OFFSETS, stream)).flatMap(parseOffset),
  }
}

/** The log is asked behind the record: what was acknowledged is in it by then. */
async function withinLog(
  log: Parts['log'],
  { stream, eventType }: OffsetKey,
  offset: number,
): Promise<number> {
  if (offset === 0) return 0
  return Math.min(offset, await sequenceEnd(log, streamTypeSequence(stream, eventType)))
}

type OffsetValue = { readonly offset: number; readonly movedAt: string }

function offsetOf(record: StoredRecord | undefined): number {
  return record === undefined ? 0 : (record.value as OffsetValue).offset
}

/** Neither streams nor UUIDs hold a `/`, so no two keys are written the same, and those of a stream are a group. */
function keyText({ stream, consumer, eventType }: OffsetKey): string {
  return `${stream}/${consumer}/${eventType}`
}

function parseOffset({ key, value }: StoredRecord): readonly Offset[] {
  const streamEnd = key.indexOf('/')
  const consumer = findConsumerId(key.slice(streamEnd + 1, streamEnd + 37))
  if (consumer === undefined) return []
  const stream = key.slice(0, streamEnd) as StreamName
  const eventType = key.slice(streamEnd + 38) as EventType
  return [{ stream, consumer, eventType, ...(value as OffsetValue) }]
}

function isConflict(error: unknown): boolean {
  return error instanceof AppError && error.code === 'record-conflict'
}
