/** Looks at processes while a request runs. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Received } from './http-client.ts'

export type Watched = {
  readonly answer: Received
  /** Most threads seen in one process; 0 where none was seen. */
  readonly threads: number
  /** Most resident memory that one process came to have, beyond what it had at the start, in KiB. */
  readonly grownKib: number
}

export async function watch(
  processes: () => readonly number[],
  request: Promise<Received>,
): Promise<Watched> {
  const atStart = new Map(processes().map((pid) => [pid, resetPeak(pid)]))
  let threads = 0
  let grownKib = 0
  let isDone = false
  const done = request.finally(() => {
    isDone = true
  })
  while (!isDone) {
    for (const pid of processes()) {
      const status = statusOf(pid)
      threads = Math.max(threads, field(status, 'Threads'))
      grownKib = Math.max(grownKib, field(status, 'VmHWM') - (atStart.get(pid) ?? 0))
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { answer: await done, threads, grownKib }
}

/** Makes the peak of a process begin anew (proc(5), `clear_refs`), and returns its resident memory in KiB. */
function resetPeak(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  return field(statusOf(pid), 'VmRSS')
}

/** Empty where the process has ended. */
function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}

function field(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
}
