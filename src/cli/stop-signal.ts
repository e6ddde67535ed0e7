/** The signals that ask the program to stop. */
import process from 'node:process'

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
  return stopping.signal
}

export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
}
