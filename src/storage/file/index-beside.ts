/** Has another thread write an index (`index-thread.ts`), and starts it with the first batch. */
import { Worker } from 'node:worker_threads'
import type { IndexJob, KeyPlaces } from './index-job.ts'

/** Of what a write failed with, its code. */
type Failure = { readonly code: string | undefined; readonly message: string }
export type IndexAnswer = { readonly places: KeyPlaces } | { readonly failure: Failure }

/** The text of the thread; only in a bundle. */
declare const INDEX_THREAD: string

/** It keeps no process from ending, and ends with it. */
let worker: Worker | undefined
const asked: ((answer: IndexAnswer | undefined) => void)[] = []

/**
 * @returns `undefined` where there is no thread, or it has ended: some of the writes may have been made
 * @throws what a write failed with
 */
export async function writeBeside(job: IndexJob): Promise<KeyPlaces | undefined> {
  try {
    worker ??= start()
  } catch {
    return undefined
  }
  worker.ref()
  worker.postMessage(job)
  const found = await new Promise<IndexAnswer | undefined>((resolve) => asked.push(resolve))
  if (found && 'failure' in found) throw Object.assign(new Error(), found.failure)
  return found?.places
}

function start(): Worker {
  // Else the output of the thread goes to that of the process, which then no longer waits for a slow reader.
  const options = { stdout: true, stderr: true }
  const started =
    typeof INDEX_THREAD === 'string'
      ? new Worker(INDEX_THREAD, { ...options, eval: true })
      : new Worker(new URL('./index-thread.ts', import.meta.url), options)
  started.on('message', answer)
  started.on('error', () => {
    // It ends.
  })
  // Only once it has ended for certain does it write no more.
  started.on('exit', () => {
    worker = undefined
    while (asked.length > 0) answer(undefined)
  })
  return started
}

function answer(found: IndexAnswer | undefined): void {
  asked.shift()?.(found)
  if (asked.length === 0) worker?.unref()
}
