/** How the sequences of the domain lie in the members of `apie_event`: whom to look for, and by which number. */
import type { SequenceKey } from '../../domain/sequence.ts'

type NumberMember =
  | 'version'
  | 'streamTypeNumber'
  | 'typeNumber'
  | 'categoryNumber'
  | 'streamsNumber'

export type Place = {
  readonly filter: { readonly stream?: string; readonly type?: string; readonly category?: string }
  readonly number: NumberMember
}

/** Takes the key of a sequence apart; no name of a stream holds a `/`. */
export function placeOf(sequence: SequenceKey): Place {
  const name = sequence.slice(2)
  switch (sequence[0]) {
    case 's':
      return { filter: { stream: name }, number: 'version' }
    case 'b': {
      const end = name.indexOf('/')
      const filter = { stream: name.slice(0, end), type: name.slice(end + 1) }
      return { filter, number: 'streamTypeNumber' }
    }
    case 't':
      return { filter: { type: name }, number: 'typeNumber' }
    case 'c':
      return { filter: { category: name }, number: 'categoryNumber' }
    default:
      return { filter: {}, number: 'streamsNumber' }
  }
}

export const numberIn = (
  document: Partial<Readonly<Record<NumberMember, number>>>,
  { number }: Place,
): number => document[number] ?? -1
