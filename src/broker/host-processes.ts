/**
 * Which processes of this machine live, as Linux tells it: a process is known by the start of the machine, the
 * space of process numbers it is in, its number, and when it was started (proc(5)).
 */
import fs from 'node:fs'
import process from 'node:process'
import type { HostProcesses, ProcessMark } from '../domain/broker/presence.ts'
import { sha256Hex } from '../kit/sha256.ts'

export function hostProcesses(): HostProcesses {
  return {
    own: { host: hostName(), pid: process.pid, started: startOf(process.pid) ?? '' },
    isGone,
  }
}

/** Says nothing of the machine but whether two are the same. */
function hostName(): string {
  try {
    const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return sha256Hex(`${boot} ${fs.readlinkSync('/proc/self/ns/pid')}`).slice(0, 32)
  } catch {
    return ''
  }
}

function isGone({ pid, started }: ProcessMark): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there and somebody else's.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
  }
  const start = startOf(pid)
  return start !== undefined && started !== '' && start !== started
}

/** When a process was started, in ticks since the start of the machine; a dead one that nobody asked for has none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return /^[ZX]$/.test(fields[0] ?? '') ? 'ended' : fields[19]
  } catch {
    return undefined
  }
}
