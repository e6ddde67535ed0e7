/**
 * A thread that makes the writes and puts of a list (`write-list.ts`), one after the other: a server's events are
 * indexed with three small writes each, whose time its event loop would not have for requests.
 *
 * Files are known to it by their numbers, which belong to the whole process. Whoever has a list written closes
 * none of its files before the answer: another one would have the number by then.
 */
import type { readSync, writeSync } from 'node:fs'
import { type MessagePort, Worker } from 'node:worker_threads'
import { PUT, PUT_BYTES, putSlot, SLOT_BYTES, SLOTS_AT_ONCE } from './slot-put.ts'
import { type ListKind, ROW_BYTES, type WriteList } from './write-list.ts'

/** What a write failed with: an error that goes from thread to thread loses its code. */
type WriteFailure = { readonly code: unknown; readonly message: string }
/** `no thread`: it does not start, or has ended; some of the writes may have been made. */
type Answer = WriteFailure | 'no thread' | undefined

type Calls = { readonly readSync: typeof readSync; readonly writeSync: typeof writeSync }
type List = { readonly rows: Uint8Array; readonly how: ListKind }

/** Runs in the thread, as a text of its own: nothing of this file is there but what it is given. */
function work(
  port: MessagePort,
  { readSync, writeSync }: Calls,
  sizes: typeof SIZES,
  putOne: typeof putSlot,
): void {
  const { put, putBytes, rowBytes, pageBytes, pages, restPuts, restMs } = sizes
  const slots = new Uint8Array(sizes.slotsBytes)
  const clock = new Int32Array(new SharedArrayBuffer(4))
  /** Pages of each file, each in the one place that it can be kept in; memory is taken where one is used. */
  const files = new Map<number, { readonly numbers: Float64Array; readonly bytes: Uint8Array }>()

  /** Where the page that the byte at `position` is in begins in the memory of its file. */
  function placeOf(fd: number, position: number): number {
    const file = files.get(fd) ?? {
      numbers: new Float64Array(pages).fill(-1),
      bytes: new Uint8Array(pages * pageBytes),
    }
    files.set(fd, file)
    const number = Math.floor(position / pageBytes)
    const place = number % pages
    const start = place * pageBytes
    if (file.numbers[place] === number) return start
    // Whatever is thrown leaves a place that holds no page.
    file.numbers[place] = -1
    let done = 0
    for (let count = -1; done < pageBytes && count !== 0; done += count) {
      const at = number * pageBytes + done
      count = readSync(fd, file.bytes, start + done, pageBytes - done, at)
    }
    file.bytes.fill(0, start + done, start + pageBytes)
    file.numbers[place] = number
    return start
  }

  function writeAll(
    fd: number,
    bytes: Uint8Array,
    start: number,
    size: number,
    position: number,
  ): void {
    for (let done = 0; done < size; ) {
      done += writeSync(fd, bytes, start + done, size - done, position + done)
    }
  }

  const calls = {
    read: (fd: number, into: Uint8Array, size: number, position: number) => {
      for (let done = 0; done < size; ) {
        const start = placeOf(fd, position + done)
        const within = (position + done) % pageBytes
        const count = Math.min(size - done, pageBytes - within)
        const page = files.get(fd)?.bytes
        for (let at = 0; at < count; at++) into[done + at] = page?.[start + within + at] ?? 0
        done += count
      }
      return size
    },
    write: (fd: number, bytes: Uint8Array, start: number, size: number, position: number) => {
      writeAll(fd, bytes, start, size, position)
      const place = placeOf(fd, position) + (position % pageBytes)
      files.get(fd)?.bytes.set(bytes.subarray(start, start + size), place)
    },
  }

  port.on('message', ({ rows, how }: List) => {
    const view = new DataView(rows.buffer)
    let failure: WriteFailure | undefined
    let count = 0
    if (how.isFirst) files.clear()
    try {
      for (let at = 0; at < rows.length; ) {
        const size = view.getUint32(at + 4, true)
        if (size === put) {
          putOne(view, at, slots, calls)
          at += putBytes
          if (++count % restPuts === 0 && !how.isUrgent) Atomics.wait(clock, 0, 0, restMs)
        } else {
          const fd = view.getUint32(at, true)
          writeAll(fd, rows, at + rowBytes, size, view.getFloat64(at + 8, true))
          at += rowBytes + Math.ceil(size / 8) * 8
        }
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      failure = { code, message }
    }
    port.postMessage(failure)
  })
}

const SIZES = {
  put: PUT,
  putBytes: PUT_BYTES,
  rowBytes: ROW_BYTES,
  slotsBytes: SLOTS_AT_ONCE * SLOT_BYTES,
  pageBytes: 4096,
  /** As many of a file as the tables of a million events have. */
  pages: 4096,
  /** Puts after which the thread rests, and how long, ms: a log is synced the quicker the less the machine is at work. */
  restPuts: 32,
  restMs: 0.05,
} as const
const TEXT = `(${work})(require('node:worker_threads').parentPort,require('node:fs'),${JSON.stringify(SIZES)},${putSlot})`

/** Started with the first list; it keeps no process from ending, and ends with it. */
let worker: Worker | undefined
const asked: ((answer: Answer) => void)[] = []

/**
 * Has the writes made in their order, up to the first that fails.
 * @param list in shared memory, which stays as it is until the answer
 * @returns what a write failed with
 */
export async function writeBeside(list: WriteList): Promise<Answer> {
  try {
    worker ??= start()
  } catch {
    return 'no thread'
  }
  worker.ref()
  worker.postMessage({ rows: list.packed, how: list.how } satisfies List)
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
