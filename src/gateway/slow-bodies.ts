/**
 * Ends requests whose body hardly comes. A limit on the whole time would cut honest uploads of large files; so
 * a body may take as long as it likes as long as it goes on at a small rate.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** Bytes a second below which a body counts as stalled. */
const LEAST_RATE = 500

type Progress = { readonly atMs: number; readonly bytes: number }

/**
 * @param receiving the requests whose bodies are under way, by connection
 * @param windowMs  time in which a body has to come at least at that rate
 * @returns what ends the watch
 */
export function watchBodies(
  receiving: () => Iterable<readonly [Socket, IncomingMessage]>,
  windowMs: number,
  refuse: (socket: Socket) => void,
): () => void {
  const seen = new WeakMap<IncomingMessage, Progress>()
  const timer = setInterval(
    () => {
      const atMs = performance.now()
      for (const [socket, incoming] of receiving()) {
        const before = seen.get(incoming)
        const isDue = before !== undefined && atMs - before.atMs >= windowMs
        if (before && !isDue) continue
        const bytes = socket.bytesRead
        // Bytes that wait here to be taken are not the client's delay.
        const isStalled = incoming.readableLength === 0 && isDue && isSlow(bytes, before, windowMs)
        if (isStalled) refuse(socket)
        else seen.set(incoming, { atMs, bytes })
      }
    },
    Math.min(1000, windowMs / 2),
  )
  timer.unref()
  return () => clearInterval(timer)
}

function isSlow(bytes: number, before: Progress, windowMs: number): boolean {
  return bytes - before.bytes < (LEAST_RATE * windowMs) / 1000
}
