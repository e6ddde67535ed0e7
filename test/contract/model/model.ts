/** The log as plain arrays: slow, and too simple to be wrong. Engines are compared with it. */
import { sequencesOf } from '../../../src/domain/sequence.ts'

export type ModelDraft = { readonly id: number; readonly type: string; readonly body: string }
export type ModelEvent = ModelDraft & { readonly stream: string; readonly version: number }

export type ModelAppend = {
  readonly stream: string
  readonly drafts: readonly ModelDraft[]
  readonly retryRule: 'equal-content' | 'equal-id'
  readonly expected: 'any' | 'no-stream' | 'stream-exists' | number
  readonly isHeadStale: boolean
}

/** What an append does: the positions it answers with, or the code it is refused with. */
export type ModelOutcome =
  | { readonly kind: 'appended' | 'already-there'; readonly positions: readonly number[] }
  | { readonly kind: 'refused'; readonly code: string }

const refused = (code: string): ModelOutcome => ({ kind: 'refused', code })

export class Model {
  readonly events: ModelEvent[] = []

  append(request: ModelAppend): ModelOutcome {
    const known = request.drafts.map(({ id }) => this.positionOf(request.stream, id))
    if (known.some((position) => position >= 0)) return this.retry(request, known)
    const ids = request.drafts.map(({ id }) => id)
    if (new Set(ids).size < ids.length) return refused('event-id-conflict')
    if (request.isHeadStale) return refused('head-mismatch')
    const count = this.streamLength(request.stream)
    if (!this.isMet(request.expected, count)) return refused('wrong-expected-version')
    const first = this.events.length
    for (const [offset, draft] of request.drafts.entries()) {
      this.events.push({ ...draft, stream: request.stream, version: count + offset })
    }
    return { kind: 'appended', positions: ids.map((_, offset) => first + offset) }
  }

  positionOf(stream: string, id: number): number {
    return this.events.findIndex((event) => event.stream === stream && event.id === id)
  }

  /** Every sequence with the positions of its members. */
  sequences(): ReadonlyMap<string, readonly number[]> {
    const all = new Map<string, number[]>()
    for (const [position, { stream, type, version }] of this.events.entries()) {
      for (const key of sequencesOf({ stream, eventType: type, version })) {
        all.set(key, [...(all.get(key) ?? []), position])
      }
    }
    return all
  }

  private retry({ drafts, retryRule }: ModelAppend, known: readonly number[]): ModelOutcome {
    const isSame = drafts.every((draft, at) => {
      const event = this.events[known[at] ?? -1]
      const isEqual = event?.type === draft.type && event.body === draft.body
      return event !== undefined && (retryRule === 'equal-id' || isEqual)
    })
    const isInOrder = known.every((position, at) => at === 0 || position > (known[at - 1] ?? 0))
    if (!isSame || !isInOrder) return refused('event-id-conflict')
    return { kind: 'already-there', positions: known }
  }

  private streamLength(stream: string): number {
    return this.events.filter((event) => event.stream === stream).length
  }

  private isMet(expected: ModelAppend['expected'], count: number): boolean {
    if (expected === 'any') return true
    if (expected === 'no-stream') return count === 0
    if (expected === 'stream-exists') return count > 0
    return expected === count - 1
  }
}
