/**
 * A disk that fails on purpose. Every call that is counted may be the one that fails, so a test raises the
 * number until its work gets through without meeting the fault.
 */
import type { Disk, Fd } from '../../src/storage/file/disk.ts'
import { diskError } from '../../src/storage/file/disk-error.ts'

export type DiskCall = keyof Disk

export type FaultPlan = {
  /** Which counted call fails, from 1. */
  readonly failAt: number
  /** Code of the operating system, such as `ENOSPC`. */
  readonly code: string
  /** Whether only that call fails or every counted call from there on. */
  readonly mode: 'once' | 'from-then-on'
  /** The calls that count; all of them where it is left out. */
  readonly only?: readonly DiskCall[]
  /**
   * Bytes that a write takes before it fails. `appendOnce` then answers with this number once, as a full
   * disk does, and fails from the next counted call on where the mode says so.
   */
  readonly takeBytes?: number
}

export type FaultyDisk = {
  readonly disk: Disk
  /** Names of the counted calls so far. */
  readonly calls: readonly DiskCall[]
  /** Whether the fault was met. */
  hasFailed(): boolean
}

/** The calls that change something or wait for the device. */
export const changingCalls: readonly DiskCall[] = [
  'openUpdate',
  'create',
  'writeAt',
  'appendOnce',
  'link',
  'rename',
  'unlink',
  'makeFolder',
  'syncData',
  'syncFolder',
  'writeMuch',
]

const waitingCalls: readonly DiskCall[] = ['syncData', 'syncFolder', 'readMuch', 'writeMuch']

type AnyCall = (...args: unknown[]) => unknown

/** `disk` with the fault of `plan` in it. */
export function faultyDisk(disk: Disk, plan: FaultPlan): FaultyDisk {
  const calls: DiskCall[] = []
  const wrap =
    (name: DiskCall, call: AnyCall): AnyCall =>
    (...args) => {
      if (plan.only && !plan.only.includes(name)) return call(...args)
      calls.push(name)
      const isFault =
        plan.mode === 'once' ? calls.length === plan.failAt : calls.length >= plan.failAt
      if (!isFault) return call(...args)
      const isShort = calls.length === plan.failAt && plan.takeBytes !== undefined
      if (isShort && name === 'appendOnce') return takeSome(disk, args, plan.takeBytes ?? 0)
      return fail(disk, name, args, plan)
    }
  const faulty = Object.fromEntries(
    // What is written beside other work is counted write by write, too.
    Object.entries(disk)
      .filter(([name]) => name !== 'writeIndex')
      .map(([name, call]) => [name, wrap(name as DiskCall, call as AnyCall)]),
  ) as unknown as Disk
  return { disk: faulty, calls, hasFailed: () => calls.length >= plan.failAt }
}

function takeSome(disk: Disk, args: readonly unknown[], count: number): number {
  const [fd, bytes] = args as [Fd, Uint8Array]
  return disk.appendOnce(fd, bytes.subarray(0, Math.min(count, bytes.length - 1)))
}

function fail(disk: Disk, name: DiskCall, args: readonly unknown[], plan: FaultPlan): unknown {
  const [fd, bytes, position] = args as [Fd, Uint8Array, number]
  const taken = plan.takeBytes ?? 0
  if (name === 'writeMuch' && taken > 0) writeSome(disk, fd, bytes.subarray(0, taken))
  if (name === 'writeAt' && taken > 0) disk.writeAt(fd, bytes.subarray(0, taken), position)
  // A close that reports a failure has closed all the same.
  if (name === 'close') disk.close(fd)
  const cause = Object.assign(new Error(`${plan.code}: planned`), { code: plan.code })
  const error = diskError(cause, name)
  const isAsynchronous = waitingCalls.includes(name) && disk.pause(0) instanceof Promise
  if (isAsynchronous) return Promise.reject(error)
  throw error
}

function writeSome(disk: Disk, fd: Fd, bytes: Uint8Array): void {
  disk.appendOnce(fd, bytes)
}
