/**
 * System calls of the executable that fail, under strace: what the module for the disk cannot see, such as the
 * lock's own calls, reads that are cut short by a signal, and the order in which a process really asks.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { STRACE } from '../support/install-crash-tools.ts'
import {
  type CrashRun,
  count,
  crashRun,
  inParallel,
  type Random,
  scale,
  tell,
} from './crash-run.ts'
import { ExecutableStore } from './executable-store.ts'
import { OPERATIONS, type Operation } from './operations.ts'

const CALLS = [
  'write',
  'pwrite64',
  'fdatasync',
  'fsync',
  'openat',
  'mkdir',
  'rmdir',
  'rename',
  'link',
  'unlink',
  'statx',
  'statfs',
  'read',
  'pread64',
  'utimensat',
  'close',
]
const ERRORS = ['EIO', 'ENOSPC', 'EDQUOT', 'EINTR', 'EAGAIN', 'EACCES', 'EROFS', 'ESTALE']
const MODES = ['once', 'from then on'] as const
/**
 * A call that is interrupted for ever is made again for ever by the runtime, and each time is a line of the trace: the
 * program is ended after so long, s.
 */
const ENDLESS_S = 10

type Case = {
  readonly operation: Operation
  readonly call: string
  readonly error: string
  readonly mode: (typeof MODES)[number]
}

/** Each operation with each call, error and mode, or some of them by chance. */
function cases(random: Random): readonly Case[] {
  return OPERATIONS.flatMap((operation) =>
    CALLS.flatMap((call) =>
      ERRORS.flatMap((error) => MODES.map((mode) => ({ operation, call, error, mode }))),
    ),
  ).filter(() => random() < scale / 72)
}

/** Runs a program under strace that makes the n-th of the calls fail which are for the data folder. */
function failing(
  { operation, call, error, mode }: Case,
  nth: number,
  root: string,
  trace: string,
): string[] {
  const there = readdirSync(root, { recursive: true, encoding: 'utf8' })
  // Names that are not there yet, and the folder as it asks for it.
  const places = [root, ...[...there, '.', ...operation.makes].map((name) => `${root}/${name}`)]
  const when = mode === 'once' ? `${nth}` : `${nth}+`
  const isEndless = error === 'EINTR' && mode !== 'once'
  return [
    ...(isEndless ? ['timeout', '--signal=KILL', `${ENDLESS_S}`] : []),
    STRACE,
    '-f',
    '--seccomp-bpf',
    '-o',
    trace,
    ...places.flatMap((path) => ['-P', path]),
    '-e',
    `trace=${call}`,
    '-e',
    `inject=${call}:error=${error}:when=${when}`,
  ]
}

/** The folder of each operation as it is before it is tried. */
async function prepared(run: CrashRun): Promise<ReadonlyMap<Operation, ExecutableStore>> {
  const stores = new Map<Operation, ExecutableStore>()
  for (const operation of OPERATIONS) {
    const store = new ExecutableStore(`${run.folder()}/data`)
    await operation.prepare(store)
    stores.set(operation, store)
  }
  return stores
}

test.skipIf(!existsSync(STRACE))(
  'whichever system call of an operation fails, it is done, not done, or unknown',
  { timeout: 3_600_000 },
  async () => {
    const run = crashRun()
    const before = await prepared(run)
    const bad: string[] = []
    const kinds = new Map<string, number>()
    let faults = 0
    /** @returns whether the fault was met */
    const tryOnce = async (fault: Case, nth: number): Promise<boolean> => {
      const folder = run.folder()
      const store = before.get(fault.operation)?.copy(join(folder, 'data'))
      if (!store) throw new Error('no folder was prepared')
      const trace = join(folder, 'trace')
      const where = `${fault.operation.what}, ${fault.call} ${nth} ${fault.error} ${fault.mode}`
      const around = failing(fault, nth, store.root, trace)
      const { told, again } = await fault.operation.attempt(store, around)
      const isMet = readFileSync(trace, 'utf8').includes('INJECTED')
      if (!isMet && told !== 'stored') bad.push(`${where}: ${told}`)
      // Only an endless one is ended from outside.
      if (told === 'exit null' && fault.error !== 'EINTR') bad.push(`${where}: did not end`)
      // An index that is missing or behind is what the next writer repairs.
      const { out } = await store.verify()
      if (/"kind":\s*"damage"/.test(out) || !out.startsWith('{')) bad.push(`${where}: ${out}`)
      kinds.set(told, (kinds.get(told) ?? 0) + 1)
      for (const problem of await again()) bad.push(`${where}: ${problem}`)
      if ((await store.append()).kind !== 'stored') bad.push(`${where}: no more appends`)
      for (const problem of await store.findViolations()) bad.push(`${where}: ${problem}`)
      if (bad.length === 0) rmSync(folder, { recursive: true })
      return isMet
    }
    await inParallel(cases(run.random), 2, async (fault) => {
      for (let nth = 1, isMet = true; isMet; nth++) {
        isMet = await tryOnce(fault, nth).catch((error) => {
          bad.push(`${fault.operation.what}, ${fault.call} ${nth} ${fault.error}: ${error}`)
          return false
        })
        if (isMet) faults++
      }
    })
    count('system calls that fail', faults)
    tell(`${faults} system calls failed: ${JSON.stringify(Object.fromEntries(kinds))}`)
    expect(bad.slice(0, 20)).toEqual([])
    expect(faults).toBeGreaterThan(0)
  },
)
