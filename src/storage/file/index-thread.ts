/**
 * The thread that writes the index of a server (`index-beside.ts` starts it): three small writes an event, whose time
 * the event loop would not have for requests.
 *
 * Files are known to it by their numbers, which belong to the whole process. Whoever has a batch written closes
 * none of them before the answer: another file would have the number by then.
 */
import os from 'node:os'
import { parentPort } from 'node:worker_threads'
import { syncDisk } from './disk.ts'
import { writeBatch } from './index-batch.ts'
import type { IndexAnswer } from './index-beside.ts'
import { IndexFiles } from './index-files.ts'
import type { IndexJob } from './index-job.ts'

/** Its niceness, beside 0 of the event loop: else it takes the processor of that whenever a rest ends. */
const NICENESS = 5
/** Events after which it rests, and how long, ms: a log is synced the quicker the less the machine is at work. */
const REST_EVENTS = 16
const REST_MS = 0.05
/** Runs of batches whose files it remembers: as many logs may be written to in turns. */
const MOST_RUNS = 4

const runs = new Map<number, IndexFiles>()
const clock = new Int32Array(new SharedArrayBuffer(4))

function filesOf({ run, fds }: IndexJob): IndexFiles {
  const known = runs.get(run) ?? IndexFiles.of(syncDisk, fds)
  runs.delete(run)
  runs.set(run, known)
  const [oldest] = runs.keys()
  if (runs.size > MOST_RUNS && oldest !== undefined) runs.delete(oldest)
  return known
}

function rest(number: number): void {
  if (number % REST_EVENTS === 0) Atomics.wait(clock, 0, 0, REST_MS)
}

function answer(job: IndexJob): IndexAnswer {
  try {
    return { places: writeBatch(filesOf(job), job.batch, job.isUrgent ? undefined : rest) }
  } catch (error) {
    runs.delete(job.run)
    // An error that goes from thread to thread loses its code.
    const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
    return { failure: { code, message } }
  }
}

try {
  // Of this thread alone, on Linux.
  os.setPriority(NICENESS)
} catch {
  // Some hosts allow no such call.
}
parentPort?.on('message', (job: IndexJob) => parentPort?.postMessage(answer(job)))
