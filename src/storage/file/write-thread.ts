/**
 * A thread that makes the writes of a list (`write-list.ts`), one after the other: a server's events are indexed
 * with four small writes each, whose time its event loop would not have for requests.
 *
 * Files are known to it by their numbers, which belong to the whole process. Whoever has a list written closes
 * none of its files before the answer: another one would have the number by then.
 */
import type { writeSync } from 'node:fs'
import { type MessagePort, Worker } from 'node:worker_threads'
import { ROW_BYTES } from './write-list.ts'

/** What a write failed with: an error that goes from thread to thread loses its code. */
type WriteFailure = { readonly code: unknown; readonly message: string }
/** `no thread`: it does not start, or has ended; some of the writes may have been made. */
type Answer = WriteFailure | 'no thread' | undefined

/** Runs in the thread, as a text of its own: nothing of this file is there but what it is given. */
function work(port: MessagePort, write: typeof writeSync, rowBytes: number): void {
  port.on('message', (rows: Uint8Array) => {
    const view = new DataView(rows.buffer)
    let failure: WriteFailure | undefined
    try {
      for (let at = 0; at < rows.length; ) {
        const size = view.getUint32(at + 4, true)
        const position = view.getFloat64(at + 8, true)
        const start = at + rowBytes
        for (let done = 0; done < size; ) {
          done += write(view.getUint32(at, true), rows, start + done, size - done, position + done)
        }
        at = start + Math.ceil(size / 8) * 8
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      failure = { code, message }
    }
    port.postMessage(failure)
  })
}

const TEXT = `(${work})(require('node:worker_threads').parentPort,require('node:fs').writeSync,${ROW_BYTES})`

/** Started with the first list; it keeps no process from ending, and ends with it. */
let worker: Worker | undefined
const asked: ((answer: Answer) => void)[] = []

/**
 * Has the writes made in their order, up to the first that fails.
 * @param rows a packed list in shared memory, which stays as it is until the answer
 * @returns what a write failed with
 */
export async function writeBeside(rows: Uint8Array): Promise<Answer> {
  try {
    worker ??= start()
  } catch {
    return 'no thread'
  }
  worker.ref()
  worker.postMessage(rows)
  return new Promise((resolve) => asked.push(resolve))
}

function start(): Worker {
  // Else the output of the thread goes to that of the process, which then no longer waits for a slow reader.
  const started = new Worker(TEXT, { eval: true, stdout: true, stderr: true })
  started.on('message', answer)
  started.on('error', () => {
    // It ends.
  })
  // Only once it has ended for certain does it write no more.
  started.on('exit', () => {
    worker = undefined
    while (asked.length > 0) answer('no thread')
  })
  return started
}

function answer(found: Answer): void {
  asked.shift()?.(found)
  if (asked.length === 0) worker?.unref()
}
