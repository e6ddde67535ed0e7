/** The sequences that an event belongs to, by what they are. */
import {
  categoryOf,
  categorySequence,
  type SequenceKey,
  streamSequence,
  streamTypeSequence,
  typeSequence,
} from '../../domain/sequence.ts'

/** The sequences of an event but for `$streams`. */
export type EventSequences = {
  readonly stream: SequenceKey
  readonly streamType: SequenceKey
  readonly type: SequenceKey
  readonly category: SequenceKey | undefined
}

export function sequencesFor(stream: string, eventType: string): EventSequences {
  const category = categoryOf(stream)
  return {
    stream: streamSequence(stream),
    streamType: streamTypeSequence(stream, eventType),
    type: typeSequence(eventType),
    category: category === undefined ? undefined : categorySequence(category),
  }
}
