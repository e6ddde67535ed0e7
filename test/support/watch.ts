/** Looks at processes while a request runs. */
import { readFileSync } from 'node:fs'
import type { Received } from './http-client.ts'

export type Watched = {
  readonly answer: Received
  /** Most threads seen in one process; 0 where none was seen. */
  readonly threads: number
  /** Largest resident memory that one process ever had, in KiB. */
  readonly peakKib: number
}

export async function watch(
  processes: () => readonly number[],
  request: Promise<Received>,
): Promise<Watched> {
  let threads = 0
  let peakKib = 0
  let isDone = false
  const done = request.finally(() => {
    isDone = true
  })
  while (!isDone) {
    for (const pid of processes()) {
      const status = statusOf(pid)
      threads = Math.max(threads, Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0))
      peakKib = Math.max(peakKib, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0))
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { answer: await done, threads, peakKib }
}

/** Empty where the process has ended. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}
