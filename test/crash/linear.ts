/**
 * Whether what several clients were answered about one stream can be put into an order of single steps, each
 * between its question and its answer, that a stream of one client would have answered in the same way.
 */

/** A question about a stream and its answer; times in any unit, growing. */
export type Step = {
  readonly from: number
  /** Infinite where no answer came. */
  readonly to: number
  readonly what:
    | { readonly kind: 'appended'; readonly version: number }
    | { readonly kind: 'refused'; readonly expected: number }
    | { readonly kind: 'looked'; readonly version: number }
    /** An append that may have happened, at any time since, or never. */
    | { readonly kind: 'unknown'; readonly expected: number | undefined }
}

/** The head behind a step where that is possible at this head: the version of the last event, -1 without one. */
function after({ what }: Step, head: number): number | undefined {
  switch (what.kind) {
    case 'appended':
      return what.version === head + 1 ? what.version : undefined
    case 'refused':
      return what.expected === head ? undefined : head
    case 'looked':
      return what.version === head ? head : undefined
    case 'unknown':
      return what.expected === undefined || what.expected === head ? head + 1 : undefined
  }
}

/** Every order is tried; states that were met before are not tried again. */
export function isLinear(steps: readonly Step[]): boolean {
  const sorted = steps.toSorted((a, b) => a.from - b.from)
  const met = new Set<string>()
  const open: {
    readonly done: ReadonlySet<number>
    readonly first: number
    readonly head: number
  }[] = [{ done: new Set(), first: 0, head: -1 }]
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const { done, head } = state
    let { first } = state
    while (done.has(first)) first++
    const rest = [...done].filter((at) => at >= first)
    const key = `${first} ${head} ${rest.sort((a, b) => a - b)}`
    if (met.has(key)) continue
    met.add(key)
    // Nothing may go ahead of a step that was answered before it was asked.
    let end = Number.POSITIVE_INFINITY
    let isOver = true
    for (let at = first; at < sorted.length; at++) {
      const step = sorted[at] as Step
      if (done.has(at)) continue
      if (step.what.kind !== 'unknown') isOver = false
      if (step.from > end) break
      end = Math.min(end, step.to)
      const next = after(step, head)
      if (next !== undefined) open.push({ done: new Set([...rest, at]), first, head: next })
    }
    if (isOver) return true
  }
  return false
}
