/**
 * Times whole processes, from outside: from before the start to the end, and to the last byte of the answer.
 * Candidates take turns, so that whatever else the machine does falls on all of them alike.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { median } from './measurement.ts'

export type Candidate = {
  readonly name: string
  readonly program: string
  /** Called before each run. */
  readonly request: () => {
    readonly environment: Readonly<Record<string, string>>
    readonly input?: string
  }
  /** What the answer must contain. */
  readonly expected: RegExp
}

/** Medians in ms. */
export type ProcessTime = { readonly wholeMs: number; readonly answerMs: number }

const WARM_UP = 3

/** @throws Error where a process does not answer as expected: its time would mean nothing */
export async function timeProcesses<N extends string>(
  candidates: readonly (Candidate & { readonly name: N })[],
  runs: number,
): Promise<Record<N, ProcessTime>> {
  const times = new Map<string, ProcessTime[]>(candidates.map(({ name }) => [name, []]))
  for (let run = -WARM_UP; run < runs; run++) {
    for (const candidate of candidates) {
      const time = await timeOnce(candidate)
      if (run >= 0) times.get(candidate.name)?.push(time)
    }
  }
  const medians = [...times].map(([name, taken]) => [
    name,
    {
      wholeMs: median(taken.map(({ wholeMs }) => wholeMs)),
      answerMs: median(taken.map(({ answerMs }) => answerMs)),
    },
  ])
  return Object.fromEntries(medians) as Record<N, ProcessTime>
}

async function timeOnce({ name, program, request, expected }: Candidate): Promise<ProcessTime> {
  const { environment, input } = request()
  const start = process.hrtime.bigint()
  const child = spawn(program, [], { env: { ...environment }, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  const end = exitTime(child)
  let answer = ''
  let answered = start
  child.stdout.on('data', (chunk: Buffer) => {
    answered = process.hrtime.bigint()
    answer += chunk.toString('latin1')
  })
  await new Promise((resolve) => child.once('close', resolve))
  if (!expected.test(answer)) throw new Error(`${name} answered: ${answer}`)
  return { wholeMs: Number((await end) - start) / 1e6, answerMs: Number(answered - start) / 1e6 }
}

function exitTime(child: ChildProcess): Promise<bigint> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => resolve(process.hrtime.bigint()))
  })
}
