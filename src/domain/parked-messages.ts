/** The stream of links to the messages that a subscription group has parked. */
import type { JsonText } from '../kit/json-text.ts'
import { randomUuid } from '../kit/uuid.ts'
import { AppError } from './app-error.ts'
import type { EventDraft, EventId, EventType } from './event.ts'
import { dataText } from './event-view.ts'
import { METADATA_TYPE, withTruncateBefore } from './stream-metadata.ts'
import type { StreamName } from './stream-name.ts'
import { LINK_TYPE } from './stream-view.ts'
import type { Streams } from './streams.ts'
import { type GroupId, parkedStreamOf } from './subscription-group.ts'
import type { ParkingMessage } from './subscription-state.ts'

/** Numbers in the stream of parked messages: `from` to before `to`. */
export type ParkedRange = { readonly from: number; readonly to: number }

export type ParkedMessages = {
  /** The messages that are there; an operator may have deleted those before them. */
  range(id: GroupId): Promise<ParkedRange>
  /**
   * Parks what is not parked yet; may be repeated. Where the stream was deleted for ever nothing is parked.
   * @param by account that caused it
   */
  park(id: GroupId, messages: readonly ParkingMessage[], by: string): Promise<void>
  /** Numbers, in the stream of the group, of the messages of a range that are still there. */
  read(id: GroupId, range: ParkedRange): Promise<readonly number[]>
  /** Messages parked under numbers below `from` are no longer there. */
  truncate(id: GroupId, from: number, by: string): Promise<void>
}

/** What this needs of the streams. */
export type ParkingStreams = Pick<Streams, 'info' | 'items' | 'metadata' | 'writer'>

export function createParkedMessages(streams: ParkingStreams): ParkedMessages {
  const append = (stream: StreamName, createdBy: string, draft: EventDraft) =>
    streams.writer.append({
      stream,
      expectedVersion: { kind: 'any' },
      createdBy,
      events: [draft],
    })
  return {
    async range(id) {
      const { state, firstVisible, last } = await streams.info(parkedStreamOf(id))
      const to = last + 1
      return { from: state === 'hard-deleted' ? to : Math.min(firstVisible, to), to }
    },
    async park(id, messages, by) {
      try {
        for (const message of messages) await append(parkedStreamOf(id), by, linkTo(id, message))
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'stream-deleted') throw error
      }
    },
    async read(id, { from, to }) {
      const info = await streams.info(parkedStreamOf(id))
      if (info.state !== 'live') return []
      const items = await streams.items(info, from, to - 1)
      const numbers = items.map((item) => (item.kind === 'link' ? item.target.number : undefined))
      return numbers.filter((number) => number !== undefined).reverse()
    },
    async truncate(id, from, by) {
      const stream = parkedStreamOf(id)
      const { metadata, state } = await streams.info(stream)
      if (state === 'hard-deleted' || (metadata.truncateBefore ?? 0) >= from) return
      // What was set besides stays.
      const stored = await streams.metadata(stream)
      const text = withTruncateBefore(stored ? dataText(stored.event.data) : '{}', from)
      await append(`$$${stream}` as StreamName, by, {
        eventId: randomUuid() as EventId,
        eventType: METADATA_TYPE as EventType,
        body: { kind: 'json', text: text as JsonText },
      })
    },
  }
}

function linkTo({ stream }: GroupId, { number, parkedId }: ParkingMessage): EventDraft {
  const bytes = Buffer.from(`${number}@${stream}`)
  return {
    eventId: parkedId,
    eventType: LINK_TYPE as EventType,
    body: { kind: 'bytes', mediaType: 'text/plain', bytes },
  }
}
