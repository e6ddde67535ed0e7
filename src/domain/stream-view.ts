/**
 * A name as a view of the log: a stream of events, or one that the store makes of links to events of others.
 * Links are made while they are read, so they are there as soon as their target is.
 */
import { sha256Hex } from '../kit/sha256.ts'
import { dataText, type EventView } from './event-view.ts'
import {
  categorySequence,
  type SequenceKey,
  streamSequence,
  streamsSequence,
  typeSequence,
} from './sequence.ts'
import type { StreamName } from './stream-name.ts'

/** Type of events whose body `{number}@{stream}` stands for another event. */
export const LINK_TYPE = '$>'

/** Every event in the order of the log; no stream of its own. */
export const ALL_STREAM = '$all' as StreamName

export type StreamView = { readonly sequence: SequenceKey; readonly holds: 'events' | 'links' }

export function viewOfStream(stream: StreamName): StreamView {
  if (stream === '$streams') return { sequence: streamsSequence, holds: 'links' }
  if (isNamed(stream, '$ce-'))
    return { sequence: categorySequence(stream.slice(4)), holds: 'links' }
  if (isNamed(stream, '$et-')) return { sequence: typeSequence(stream.slice(4)), holds: 'links' }
  return { sequence: streamSequence(stream), holds: 'events' }
}

const isNamed = (stream: string, prefix: string): boolean =>
  stream.startsWith(prefix) && stream.length > prefix.length

/** Streams that only the store fills. */
export function isMadeByStore(stream: StreamName): boolean {
  return stream === ALL_STREAM || viewOfStream(stream).holds === 'links'
}

export type LinkTarget = { readonly stream: string; readonly number: number }

/** Where a link leads; `undefined` where `event` is none. */
export function linkTarget(event: EventView): LinkTarget | undefined {
  if (event.eventType !== LINK_TYPE) return undefined
  const match = /^(\d{1,15})@(.+)$/s.exec(dataText(event.data))
  const [, number, stream] = match ?? []
  return stream === undefined ? undefined : { stream, number: Number(number) }
}

/** The link to `target` that is number `number` of `stream`. Its id follows from its place. */
export function linkEvent(stream: StreamName, number: number, target: EventView): EventView {
  const bytes = Buffer.from(`${target.number}@${target.stream}`)
  return {
    eventId: linkId(stream, number),
    eventType: LINK_TYPE as EventView['eventType'],
    stream,
    number,
    data: { kind: 'bytes', mediaType: 'text/plain', bytes },
    metadata: undefined,
    createdAt: target.createdAt,
  }
}

/** A UUID of version 8 (RFC 9562 §5.8) made of stream and number. */
export function linkId(stream: string, number: number): EventView['eventId'] {
  const hex = sha256Hex(`${number}@${stream}`)
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
  ]
  return [...groups, hex.slice(20, 32)].join('-') as EventView['eventId']
}
