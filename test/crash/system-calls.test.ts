/**
 * System calls of the executable that fail, under strace: what the module for the disk cannot see, such as the
 * lock's own calls, reads that are cut short by a signal, and the order in which a process really asks.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { STRACE } from '../support/install-crash-tools.ts'
import { count, crashRun, inParallel, type Random, scale, tell } from './crash-run.ts'
import { ExecutableStore } from './executable-store.ts'

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

type Case = { readonly call: string; readonly error: string; readonly mode: (typeof MODES)[number] }

/** Each call with each error and mode, or some of them by chance. */
function cases(random: Random): readonly Case[] {
  return CALLS.flatMap((call) =>
    ERRORS.flatMap((error) => MODES.map((mode) => ({ call, error, mode }))),
  ).filter(() => random() < scale / 12)
}

/** Runs a program under strace that makes the n-th of the calls fail which are for the data folder. */
function failing({ call, error, mode }: Case, nth: number, root: string, trace: string): string[] {
  const paths = [root, ...readdirSync(root, { recursive: true, encoding: 'utf8' })]
  // Names that are not there yet, and the folder as it asks for it.
  const more = ['.', 'log/suspect', 'locks/log.lock', 'log/00000002.log', 'format']
  const places = [...paths.map((name) => (name === root ? root : join(root, name)))]
  for (const name of more) places.push(`${root}/${name}`)
  const when = mode === 'once' ? `${nth}` : `${nth}+`
  return [
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

test.skipIf(!existsSync(STRACE))(
  'whichever system call of an append fails, it is stored, not stored, or unknown',
  { timeout: 3_600_000 },
  async () => {
    const run = crashRun()
    const before = new ExecutableStore(`${run.folder()}/data`)
    for (let n = 0; n < 5; n++) expect((await before.append()).kind).toBe('stored')
    const bad: string[] = []
    const kinds = new Map<string, number>()
    let faults = 0
    const one = async (fault: Case) => {
      for (let nth = 1, isMet = true; isMet; nth++) {
        const folder = run.folder()
        const root = join(folder, 'data')
        const store = before.copy(root)
        const trace = join(folder, 'trace')
        const where = `${fault.call} ${nth} ${fault.error} ${fault.mode}`
        try {
          const outcome = await store.append({ around: failing(fault, nth, root, trace) })
          isMet = readFileSync(trace, 'utf8').includes('INJECTED')
          if (!isMet && outcome.kind !== 'stored') bad.push(`${where}: ${JSON.stringify(outcome)}`)
          if (outcome.kind !== 'stored' && (await store.verify()).status !== 0)
            bad.push(`${where}: does not verify`)
          const told = outcome.kind === 'refused' ? outcome.code : outcome.kind
          kinds.set(told, (kinds.get(told) ?? 0) + 1)
          const again = await store.append({ id: outcome.id })
          if (again.kind !== 'stored') bad.push(`${where}: again ${JSON.stringify(again)}`)
          for (const problem of await store.findViolations()) bad.push(`${where}: ${problem}`)
        } catch (error) {
          bad.push(`${where}: ${error}`)
          isMet = false
        }
        if (isMet) faults++
      }
    }
    await inParallel(cases(run.random), 2, one)
    count('system calls that fail', faults)
    tell(`${faults} system calls failed: ${JSON.stringify(Object.fromEntries(kinds))}`)
    expect(bad.slice(0, 20)).toEqual([])
    expect(faults).toBeGreaterThan(0)
  },
)
