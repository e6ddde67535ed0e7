/**
 * Milliseconds by a clock that only goes forwards, from a start of its own. The global `performance` tells the
 * same, but a process pays nearly a millisecond for loading what is behind it.
 */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1000 + nanoseconds / 1e6
}
