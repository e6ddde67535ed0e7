/**
 * Standard input and output of a CGI process, read and written without threads and without waiting for
 * ever.
 *
 * A blocking read of a stalled upload could not be ended by anything, and Node's own streams start
 * threads. So the descriptor is made non-blocking and asked again after a short pause. Under `mod_cgi` it is a
 * pipe: opening it once more gives a description of our own to set so. Under `mod_cgid` it is a socket, which
 * cannot be opened by its path, and under suEXEC a pipe of another user; wrapping it in a `Socket` that never
 * reads does it. `process.stdin` and `process.stdout` are not touched.
 */
import { constants, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { monotonicMs } from '../kit/monotonic.ts'

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants
const LONGEST_PAUSE_MS = 10
const cell = new Int32Array(new SharedArrayBuffer(4))

/** What is known of a moment by a clock that only goes forwards, ms. */
export type Deadline = number

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

export type StandardStream = {
  /** The bytes there are, at most as many as fit; 0 at the end. @throws DeadlineError */
  read(into: Uint8Array, deadline: Deadline): number
  /** True where there is a byte to read at once. */
  hasMore(): boolean
  /** Writes all of it. @returns false where nobody reads any more. @throws DeadlineError */
  write(bytes: Uint8Array, deadline: Deadline): boolean
}

/** @param fd 0 for input and 1 for output, where it is a process of one request */
export async function openStandardStream(
  direction: 'input' | 'output',
  fd: number,
): Promise<StandardStream> {
  const own = await nonBlocking(direction, fd)
  return {
    read: (into, deadline) => poll(deadline, () => readSync(own, into, 0, into.length, null)),
    hasMore: () => {
      try {
        return readSync(own, Buffer.alloc(1), 0, 1, null) > 0
      } catch {
        return false
      }
    },
    write: (bytes, deadline) => {
      try {
        for (let done = 0; done < bytes.length; ) {
          done += poll(deadline, () => writeSync(own, bytes, done, bytes.length - done))
        }
        return true
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EPIPE' || code === 'ECONNRESET') return false
        throw error
      }
    },
  }
}

// Held for the life of the process: a socket that is collected closes its descriptor.
const held: Socket[] = []

async function nonBlocking(direction: 'input' | 'output', fd: number): Promise<number> {
  const status = fstatSync(fd)
  if (status.isSocket()) return wrapped(fd)
  // A file opened once more would be read or written from its beginning, and never blocks.
  if (!status.isFIFO()) return fd
  try {
    const access = direction === 'input' ? O_RDONLY : O_WRONLY
    return openSync(`/proc/self/fd/${fd}`, access | O_NONBLOCK)
  } catch {
    // Under suEXEC the pipe belongs to the web server's user and cannot be opened again. A write may block:
    // it ends when the web server gives up its client.
    return direction === 'input' ? wrapped(fd) : fd
  }
}

async function wrapped(fd: number): Promise<number> {
  const { Socket } = await import('node:net')
  held.push(new Socket({ fd, readable: false, writable: false }))
  return fd
}

function poll(deadline: Deadline, call: () => number): number {
  for (let round = 0; ; round++) {
    try {
      return call()
    } catch (error) {
      if (!isWaiting(error)) throw error
    }
    if (monotonicMs() > deadline) throw new DeadlineError('The other side has stalled')
    Atomics.wait(cell, 0, 0, Math.min(1 + round, LONGEST_PAUSE_MS))
  }
}

function isWaiting(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAGAIN' || code === 'EINTR'
}
