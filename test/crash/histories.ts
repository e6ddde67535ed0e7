/** What processes are asked about streams and answer, as steps that `linear.ts` judges. */
import { randomUuid } from '../../src/kit/random.ts'
import { pick, type Random } from './crash-run.ts'
import type { Step } from './linear.ts'
import type { Told } from './oracle.ts'
import type { Answer, Worker } from './workers.ts'

export type Histories = { readonly steps: Map<string, Step[]>; readonly stored: Told[] }

/** Steps of all processes together, and streams that they ask about, in each history. */
export const STEPS = 200
export const streamsOf = (history: number): string[] => [0, 1, 2].map((n) => `h${history}-${n}`)

/** What an answer that says nothing about the stream says of an append. `undefined`: it must not come. */
export type Silence = (answer: Answer | undefined) => 'unknown' | 'not done' | undefined

/** Has one process look at one of the streams, or append to it. */
export async function askOnce(
  worker: Worker,
  streams: readonly string[],
  random: Random,
  { steps, stored }: Histories,
  silence: Silence,
): Promise<void> {
  const stream = pick(random, streams)
  const own = steps.get(stream) ?? []
  steps.set(stream, own)
  const isLook = random() < 0.4
  const last = Math.max(-1, ...own.map(({ what }) => ('version' in what ? what.version : -1)))
  // Mostly what was seen last, so that some succeed and others come too late.
  const expected = isLook || random() < 0.4 || last < 0 ? undefined : last
  const id = randomUuid()
  const from = performance.now()
  const sent = { id, stream, pad: 20, isLook, ...(expected !== undefined && { expected }) }
  const answer = await worker.ask(sent)
  const add = (what: Step['what'], to = performance.now()) => own.push({ from, to, what })
  if (answer?.kind === 'head') add({ kind: 'looked', version: answer.version })
  else if (answer?.kind === 'appended') {
    stored.push({ id, position: answer.position, hash: answer.hash })
    add({ kind: 'appended', version: answer.version })
  } else if (answer?.kind === 'refused' && answer.code === 'wrong-expected-version') {
    add({ kind: 'refused', expected: expected ?? -2 })
  } else {
    const meaning = silence(answer)
    if (meaning === undefined) throw new Error(`answered ${JSON.stringify(answer)}`)
    if (meaning === 'unknown' && !isLook)
      add({ kind: 'unknown', expected }, Number.POSITIVE_INFINITY)
  }
}
