/** The signals that ask the program to stop, and the one that tells that its terminal is gone. */
import process from 'node:process'
import { isatty } from 'node:tty'

/** 128 and the number of the signal, as shells tell it. */
const ENDED_BY = { SIGINT: 130, SIGTERM: 143 } as const

/** Aborted at the first signal; from then on a second one ends the process at once. */
export function untilStopped(): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(ENDED_BY[signal])
      stopping.abort()
    })
  }
  // A terminal that is closed says so twice, by the system and by its shell: the second one hurries nobody.
  if (hasTerminal()) process.on('SIGHUP', () => stopping.abort())
  return stopping.signal
}

/**
 * A command without a terminal goes on when one is closed. `nohup` asks for that by a SIGHUP that is ignored, but
 * Node sets every signal back before the first line of a program runs: what is left to see is that none of the
 * streams is a terminal.
 */
export function outliveTerminal(): void {
  if (!hasTerminal()) process.on('SIGHUP', () => undefined)
}

const hasTerminal = (): boolean => [0, 1, 2].some((stream) => isatty(stream))

export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
}
