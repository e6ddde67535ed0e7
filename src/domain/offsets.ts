/**
 * How far each consumer has come: the number of events of one type in one stream that it has acknowledged.
 *
 * An offset is a record that is moved by compare-and-set alone and comes to be with the first move: reading
 * makes none. The offset n says that the events up to the sequence n, counted from 1, are done with.
 */
import { AppError } from './app-error.ts'
import { type ConsumerId, findConsumerId } from './consumer.ts'
import type { EventType } from './event.ts'
import type { Clock, RecordEngine, StoredRecord } from './ports.ts'
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
  /** 0 where the consumer has acknowledged nothing. */
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
  /** Those of a stream, or all; in the order in which they came to be. */
  list(stream?: StreamName): Promise<readonly Offset[]>
}

export function createOffsets(records: RecordEngine, clock: Clock): Offsets {
  return {
    read: async (key) => offsetOf(await records.read(OFFSETS, keyText(key))),
    async move(key, next) {
      for (let tries = 1; ; tries++) {
        const record = await records.read(OFFSETS, keyText(key))
        const offset = await next(offsetOf(record))
        if (offset === undefined) return
        const value: OffsetValue = { offset, movedAt: new Date(clock.now()).toISOString() }
        try {
          await records.write(OFFSETS, keyText(key), value, record?.revision ?? 'absent')
          return
        } catch (error) {
          if (!isConflict(error) || tries === TRIES) throw error
        }
      }
    },
    list: async (stream) => (await records.list(OFFSETS, stream)).flatMap(parseOffset),
  }
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
