/**
 * Every call of the disk fails once, in every way: what was acknowledged is there, what was refused is not,
 * and work goes on once the cause is gone.
 */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { type Disk, syncDisk } from '../../src/storage/file/disk.ts'
import { appendTo, draft, jsonBody, uuid } from '../support/drafts.ts'
import { changingCalls, type FaultPlan } from '../support/fault-disk.ts'
import { type ArmedDisk, armedDisk } from './armed-disk.ts'
import { count, crashRun, type Random, scaled, tell } from './crash-run.ts'
import { MemoryDisk } from './memory-disk.ts'
import { type OpenLog, openLog, type Turns } from './open-log.ts'
import { findViolations, type History } from './oracle.ts'
import { type Loss, PowerDisk } from './power-disk.ts'

const ROOT = '/data'
const CODES = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE']
const MODES = ['once', 'from-then-on'] as const
const BOOT = 'a boot'

type Scenario = {
  readonly what: string
  readonly turns: Turns
  /** Events that are there before. */
  readonly before: number
  readonly ids: readonly number[]
}

const SCENARIOS: readonly Scenario[] = [
  { what: 'the first append of all', turns: {}, before: 0, ids: [100] },
  { what: 'an append', turns: {}, before: 10, ids: [100] },
  { what: 'a batch', turns: {}, before: 10, ids: [100, 101, 102] },
  { what: 'an append that begins a file', turns: { segmentBytes: 2000 }, before: 10, ids: [100] },
  { what: 'an append that syncs the index', turns: { boot: '' }, before: 10, ids: [100] },
]

const longDraft = (n: number) => ({
  ...draft(n),
  body: jsonBody(JSON.stringify({ n, pad: 'x'.repeat(50) })),
})

type Prepared = {
  readonly memory: MemoryDisk
  readonly armed: ArmedDisk
  readonly open: OpenLog
  readonly history: History
}

/** A log with some events, in a process that has not looked at it yet. */
async function prepare({ turns, before }: Scenario): Promise<Prepared> {
  const memory = new MemoryDisk()
  const given = { boot: BOOT, lock: 'no-lock', ...turns } as const
  const first = await openLog(ROOT, { ...given, disk: memory.disk })
  const history: History = { stored: [], refused: new Set() }
  for (let n = 0; n < before; n++) await note(history, first, [n])
  await first.log.close()
  const armed = armedDisk(memory.disk)
  return { memory, armed, open: await openLog(ROOT, { ...given, disk: armed.disk }), history }
}

/** Appends and notes what the writer was told; returns the code of a refusal. */
async function note(
  { stored, refused }: History,
  { log }: OpenLog,
  ids: readonly number[],
  isRetry = false,
): Promise<string | undefined> {
  try {
    const { events } = await log.append(appendTo('s', ids.map(longDraft)))
    events.forEach(({ position, hash }, index) => {
      refused.delete(uuid(ids[index] ?? 0))
      stored.push({ id: uuid(ids[index] ?? 0), position, hash })
    })
    return undefined
  } catch (error) {
    const code = error instanceof AppError ? error.code : `no AppError: ${error}`
    // A retry that is refused says nothing about the attempt before it.
    if (code !== 'outcome-unknown' && !isRetry) for (const id of ids) refused.add(uuid(id))
    return code
  }
}

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  ENOSPC: ['storage-full'],
  EDQUOT: ['storage-full'],
  EIO: ['storage-unavailable'],
  EROFS: ['storage-read-only'],
  EMFILE: ['storage-unavailable'],
}

/** @returns what is wrong, and whether the fault was met at all */
async function failAt(
  scenario: Scenario,
  plan: FaultPlan,
): Promise<{ found: string[]; isMet: boolean }> {
  const { memory, armed, open, history } = await prepare(scenario)
  armed.arm(plan)
  const code = await note(history, open, scenario.ids)
  const isMet = armed.disarm()
  const found: string[] = []
  if (code !== undefined && ![...(EXPECTED[plan.code] ?? []), 'outcome-unknown'].includes(code)) {
    found.push(`answered ${code}`)
  }
  const other = await openLog(ROOT, { ...scenario.turns, ...BASE, disk: memory.disk })
  found.push(...(await findBehind(other, history)))
  if (code !== undefined) {
    await note(history, open, scenario.ids, true)
    await other.log.verify()
    const again = await note(history, open, scenario.ids, true)
    if (again !== undefined) found.push(`the retry was answered ${again}`)
    const last = await openLog(ROOT, { ...scenario.turns, ...BASE, disk: memory.disk })
    found.push(...(await findViolations(last, history)))
    await last.log.close()
  }
  await open.log.close()
  await other.log.close()
  if (memory.openCount > 0) found.push(`${memory.openCount} files were left open`)
  return { found, isMet }
}

const BASE = { boot: BOOT, lock: 'no-lock' } as const

/** Only reads: an append would change what the retry meets. */
async function findBehind({ log }: OpenLog, { stored, refused }: History): Promise<string[]> {
  const found: string[] = []
  for (const { id, position, hash } of stored) {
    if ((await log.read(position))?.hash !== hash) found.push(`acknowledged, but not there: ${id}`)
  }
  for (const id of refused) {
    if ((await log.findEventId('s', id)) !== undefined) found.push(`refused, but stored: ${id}`)
  }
  return found
}

test('whichever call of an append fails, it is stored, not stored, or said to be unknown', async () => {
  crashRun()
  const bad: string[] = []
  let cases = 0
  for (const scenario of SCENARIOS) {
    for (const code of CODES) {
      for (const mode of MODES) {
        for (let nth = 1, isMet = true; isMet; nth++) {
          const outcome = await failAt(scenario, { failAt: nth, code, mode })
          isMet = outcome.isMet
          cases++
          for (const problem of outcome.found) {
            bad.push(`${scenario.what}, call ${nth}, ${code} ${mode}: ${problem}`)
          }
        }
      }
    }
  }
  count('fault points', cases)
  tell(`${cases} faults in ${SCENARIOS.length} kinds of appends`)
  expect(bad.slice(0, 20)).toEqual([])
})

test('of a write that took k of n bytes nothing counts, whoever goes on', async () => {
  crashRun()
  const bad: string[] = []
  let cases = 0
  for (const hasOthers of [false, true]) {
    for (let taken = 0, isWhole = false; !isWhole; taken++) {
      const { memory, armed, open, history } = await prepare(SCENARIOS[1] as Scenario)
      armed.arm({
        failAt: 1,
        code: 'ENOSPC',
        mode: 'once',
        only: ['appendOnce'],
        takeBytes: taken,
      })
      const size = sizeOfLog(memory)
      const code = await note(history, open, [100])
      armed.disarm()
      if (code !== 'storage-full') bad.push(`${taken} bytes: answered ${code}`)
      isWhole = sizeOfLog(memory) - size < taken
      const next = hasOthers ? await openLog(ROOT, { ...BASE, disk: memory.disk }) : open
      for (const problem of await findBehind(next, history)) bad.push(`${taken} bytes: ${problem}`)
      const again = await note(history, next, [100])
      if (again !== undefined) bad.push(`${taken} bytes: the retry was answered ${again}`)
      for (const problem of await findViolations(next, history)) {
        bad.push(`${taken} bytes: ${problem}`)
      }
      cases++
    }
  }
  count('short writes', cases)
  tell(`${cases} writes that took only a part`)
  expect(cases).toBeGreaterThan(600)
  expect(bad.slice(0, 20)).toEqual([])
})

function sizeOfLog(memory: MemoryDisk): number {
  return memory.disk.status(`${ROOT}/log/00000001.log`)?.size ?? 0
}

const SYNC_CODES = ['EIO', 'ENOSPC', 'EDQUOT'] as const
/** What becomes of bytes whose sync failed: the system may keep them, drop them, or some of them. */
const LOSSES: readonly Loss[] = ['keeps all', 'loses all', 'as chance will have it']

test('after a sync of the log that failed nothing is appended by anybody until a verification', async () => {
  const run = crashRun()
  const bad: string[] = []
  let cases = 0
  for (let n = 0; cases < scaled(200); n++) {
    const scenario = SCENARIOS[n % SCENARIOS.length] as Scenario
    const code = SYNC_CODES[n % SYNC_CODES.length] ?? 'EIO'
    const loss = LOSSES[Math.floor(n / SCENARIOS.length) % LOSSES.length] ?? 'loses all'
    for (let nth = 1, isMet = true; isMet; nth++) {
      const outcome = await failSync(scenario, { nth, code, loss, random: run.random })
      isMet = outcome.isMet
      if (isMet) cases++
      for (const problem of outcome.found) {
        bad.push(`${scenario.what}, sync ${nth}, ${code}, ${loss}: ${problem}`)
      }
    }
  }
  count('syncs that lie', cases)
  tell(`${cases} syncs failed once and would have succeeded then`)
  expect(bad.slice(0, 20)).toEqual([])
})

type SyncFault = {
  readonly nth: number
  readonly code: string
  readonly loss: Loss
  readonly random: Random
}

/** The n-th sync fails, and the bytes may be gone that it was for; every later sync says that all is well. */
async function failSync(
  scenario: Scenario,
  { nth, code, loss, random }: SyncFault,
): Promise<{ found: string[]; isMet: boolean }> {
  const { memory, open: first, history } = await prepare(scenario)
  await first.log.close()
  const power = new PowerDisk(memory)
  const armed = armedDisk(power.disk)
  const open = await openLog(ROOT, { ...scenario.turns, ...BASE, disk: armed.disk })
  armed.arm({ failAt: nth, code, mode: 'once', only: ['syncData'] })
  const told = await note(history, open, scenario.ids)
  const isMet = armed.disarm()
  const found: string[] = []
  const isSuspect = memory.disk.status(`${ROOT}/log/suspect`) !== undefined
  if (told === 'outcome-unknown' && !isSuspect) found.push('unknown, but nothing is suspect')
  if (isSuspect) {
    if ((await note(history, open, [101])) !== 'storage-unavailable') found.push('went on')
    const other = await openLog(ROOT, { ...scenario.turns, ...BASE, disk: memory.disk })
    if ((await note(history, other, [102])) !== 'storage-unavailable') found.push('others went on')
    await other.log.close()
  }
  await open.log.close()
  const left = isMet && loss !== 'keeps all' ? power.afterLoss(loss, random) : memory
  const turns = { ...scenario.turns, ...BASE, boot: left === memory ? BOOT : 'another boot' }
  const next = await openLog(ROOT, { ...turns, disk: left.disk })
  const isLeft = left.disk.status(`${ROOT}/log/suspect`) !== undefined
  const before = await note(history, next, [103])
  if (isLeft && before !== 'storage-unavailable') found.push('went on without a verification')
  for (const { kind, message } of (await next.log.verify()).findings) {
    if (kind === 'damage') found.push(message)
  }
  for (const ids of [scenario.ids, [104]]) {
    const again = await note(history, next, ids, true)
    if (again !== undefined) found.push(`behind the verification: ${again}`)
  }
  found.push(...(await findViolations(next, history)))
  await next.log.close()
  return { found, isMet }
}

test('a sync that fails for a reader stops the writers, and no reader sees what it was for', async () => {
  const { memory, open, history } = await prepare(SCENARIOS[1] as Scenario)
  const unending = { ...memory.disk, syncData: () => new Promise<void>(() => {}) }
  const killed = await openLog(ROOT, { ...BASE, disk: unending })
  void killed.log.append(appendTo('s', [longDraft(100)]))
  await new Promise((resolve) => setImmediate(resolve))
  await open.log.close()
  const failing = armedDisk(memory.disk)
  const reader = await openLog(ROOT, { ...BASE, disk: failing.disk })
  failing.arm({ failAt: 1, code: 'EIO', mode: 'once', only: ['syncData'] })
  expect((await reader.log.head()).count).toBe(10)
  expect(failing.disarm()).toBe(true)
  expect((await reader.log.head()).count).toBe(10)
  const later = await openLog(ROOT, { ...BASE, disk: memory.disk })
  expect((await later.log.head()).count).toBe(10)
  expect(await note(history, later, [101])).toBe('storage-unavailable')
  await later.log.verify()
  expect(await note(history, reader, [101])).toBe(undefined)
  expect((await later.log.head()).count).toBe(12)
  expect(await findViolations(later, history)).toEqual([])
})

test('a sync that is under way when others have begun a new file is that of the right file', async () => {
  const { memory } = await prepare({ ...(SCENARIOS[3] as Scenario), before: 2 })
  let sync: (() => void) | undefined
  const slow: Disk = {
    ...memory.disk,
    syncData: async (fd) => {
      if (!sync) await new Promise<void>((resolve) => (sync = resolve))
      return memory.disk.syncData(fd)
    },
  }
  const one = await openLog(ROOT, { ...BASE, segmentBytes: 2000, disk: slow })
  const two = await openLog(ROOT, { ...BASE, segmentBytes: 2000, disk: memory.disk })
  const appended = one.log.append(appendTo('s', [longDraft(50)]))
  await new Promise((resolve) => setImmediate(resolve))
  for (let n = 51; n < 70; n++) await two.log.append(appendTo('s', [longDraft(n)]))
  const seen = one.log.head()
  await new Promise((resolve) => setImmediate(resolve))
  sync?.()
  expect((await seen).count).toBe(22)
  expect((await appended).kind).toBe('appended')
})

test('a long answer that is being read goes on while the log begins new files', async () => {
  const memory = new MemoryDisk()
  const turns = { ...BASE, segmentBytes: 3 << 20, disk: memory.disk }
  const { log } = await openLog(ROOT, turns)
  const large = (n: number) => ({
    ...draft(n),
    body: jsonBody(JSON.stringify('x'.repeat(200_000))),
  })
  for (let n = 0; n < 10; n++) await log.append(appendTo('s', [large(n)]))
  let seen = 0
  for await (const run of log.readLog(0, 10, 'forwards')) {
    if (seen === 0) {
      for (let n = 10; n < 40; n++) await log.append(appendTo('s', [large(n)]))
    }
    seen += run.length
  }
  expect(seen).toBe(10)
})

test('a batch that takes longer to decide than a lock may be held is stored all the same', async () => {
  const memory = new MemoryDisk()
  const lock = {
    acquire: async () => ({ isFresh: () => false, isWanted: () => false, release: () => {} }),
  }
  const { log } = await openLog(ROOT, { boot: BOOT, lock, disk: memory.disk })
  expect((await log.append(appendTo('s', [draft(1)]))).kind).toBe('appended')
})

/** A file system of 8 MiB and 200 files at `place`; false where this user may not mount one. */
function mountSmall(place: string): boolean {
  const { status } = spawnSync('mount', [
    '-t',
    'tmpfs',
    '-o',
    'size=8m,nr_inodes=200,mode=700',
    'none',
    place,
  ])
  return status === 0
}

/** Takes all space but a few pages. */
function fill(path: string, pagesLeft: number): void {
  const fd = openSync(path, 'w')
  try {
    for (let size = 1 << 20; size >= 4096; ) {
      try {
        if (writeSync(fd, Buffer.alloc(size)) < size) size /= 2
      } catch {
        size /= 2
      }
    }
    ftruncateSync(fd, Math.max(0, fstatSync(fd).size - pagesLeft * 4096))
  } finally {
    closeSync(fd)
  }
}

/** Makes files until there may be no more. */
function useUpNames(folder: string): void {
  mkdirSync(folder)
  try {
    for (let n = 0; n < 1000; n++) closeSync(openSync(`${folder}/${n}`, 'w'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

test('on a disk that is full nothing is half stored, and service goes on when there is space', async () => {
  const run = crashRun()
  const place = run.folder()
  const isMounted = mountSmall(place)
  const armed = armedDisk(syncDisk)
  // The look at the free space ahead of a write would keep the disk from ever being really full.
  const disk = new Proxy(armed.disk, {
    get: (target, name: keyof Disk) =>
      name === 'free' ? () => ({ bytes: 2 ** 40, inodes: 2 ** 30 }) : target[name],
  })
  try {
    const open = await openLog(`${place}/data`, { segmentBytes: 64 * 1024, disk })
    const history: History = { stored: [], refused: new Set() }
    let refusals = 0
    const cycles = scaled(100)
    for (let cycle = 0; cycle < cycles; cycle++) {
      if (isMounted && cycle % 4 === 3) useUpNames(`${place}/names`)
      else if (isMounted) fill(`${place}/filler`, Math.floor(run.random() * 4))
      else armed.arm({ failAt: 1, code: 'ENOSPC', mode: 'from-then-on', only: changingCalls })
      for (let n = 0; n < 25; n++) {
        const code = await note(history, open, [cycle * 100 + n])
        if (code === undefined) continue
        refusals++
        if (code !== 'storage-full') throw new Error(`answered ${code}`)
      }
      armed.disarm()
      rmSync(`${place}/filler`, { force: true })
      rmSync(`${place}/names`, { recursive: true, force: true })
      expect(await note(history, open, [cycle * 100 + 99])).toBe(undefined)
    }
    expect(refusals).toBeGreaterThan(cycles)
    tell(`${cycles} times full, ${refusals} refusals, ${isMounted ? 'real' : 'pretended'}`)
    const other = await openLog(`${place}/data`)
    expect(await findViolations(other, history)).toEqual([])
    await open.log.close()
    await other.log.close()
  } finally {
    if (isMounted) spawnSync('umount', [place])
  }
})
