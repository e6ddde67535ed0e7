/**
 * The ordered views of the log. An event belongs to a few sequences, in each of which it has a gap-free
 * number of its own, counted from 0: the log itself (`$all`), its stream, its stream and type together,
 * its type (`$et-…`), its category (`$ce-…`), and, for the first event of a stream, `$streams`.
 */
import type { Brand } from '../kit/brand.ts'

/** Key of one sequence; made only here, so that no name of a stream can stand for another view. */
export type SequenceKey = Brand<string, 'SequenceKey'>

/** An event seen as a member of sequences. */
export type SequenceMember = {
  readonly stream: string
  readonly eventType: string
  /** Number of the event in its stream. */
  readonly version: number
}

export const streamSequence = (stream: string): SequenceKey => `s/${stream}` as SequenceKey
export const streamTypeSequence = (stream: string, type: string): SequenceKey =>
  `b/${stream}/${type}` as SequenceKey
export const typeSequence = (type: string): SequenceKey => `t/${type}` as SequenceKey
export const categorySequence = (category: string): SequenceKey => `c/${category}` as SequenceKey
/** The first events of all streams, in the order in which the streams came to be. */
export const streamsSequence = 'n/' as SequenceKey

/** Text before the first `-`, or `undefined` where there is none or nothing before it. */
export function categoryOf(stream: string): string | undefined {
  const dash = stream.indexOf('-')
  return dash > 0 ? stream.slice(0, dash) : undefined
}

/**
 * How a log sorts its events into sequences; at most five each, the stream's own first. Of the version it matters
 * only whether it is 0.
 */
export type SequenceRule = (member: SequenceMember) => readonly SequenceKey[]

/** The sequences of an event of the log, `$all` left out (it is the position). */
export const sequencesOf: SequenceRule = ({ stream, eventType, version }) => {
  const keys = [
    streamSequence(stream),
    streamTypeSequence(stream, eventType),
    typeSequence(eventType),
  ]
  const category = categoryOf(stream)
  if (category !== undefined) keys.push(categorySequence(category))
  if (version === 0) keys.push(streamsSequence)
  return keys
}
