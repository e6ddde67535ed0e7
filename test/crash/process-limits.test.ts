/** Limits that hosts set on processes: size of files, open files, time. What is cut off by them counts nowhere. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { count, crashRun, inParallel, scale, scaled, tell } from './crash-run.ts'
import { ExecutableStore } from './executable-store.ts'

const PAGE = 4096
const limited = (...limits: readonly string[]) => ['prlimit', ...limits]

/** Larger than the index of a few events, so that a limit on the size of files meets the log alone. */
const FIRST_BYTES = 400_000

test('of a line of which the system takes k of n bytes nothing counts, and the next writer goes on', async () => {
  const run = crashRun()
  const before = new ExecutableStore(`${run.folder()}/data`)
  expect((await before.append({ pad: FIRST_BYTES })).kind).toBe('stored')
  const log = join(before.root, 'log/00000001.log')
  const size = statSync(log).size
  const probe = before.copy(`${run.folder()}/data`)
  await probe.append()
  const length = statSync(join(probe.root, 'log/00000001.log')).size - size
  const step = Math.max(1, Math.round(20 / scale))
  const first = Math.floor(run.random() * step)
  const taken = Array.from(
    { length: Math.ceil((length - first) / step) },
    (_, n) => first + n * step,
  )
  const bad: string[] = []
  const next = ['again', 'another', 'another, then again'] as const
  const cases = taken.flatMap((bytes) => next.map((then) => ({ bytes, then })))
  await inParallel(cases, 2, async ({ bytes, then }) => {
    const store = before.copy(`${run.folder()}/data`)
    const outcome = await store.append({ around: limited(`--fsize=${size + bytes}`) })
    const where = `${bytes} of ${length} bytes, then ${then}`
    const isFull = outcome.kind === 'refused' && outcome.code === 'storage-full'
    if (!isFull) bad.push(`${where}: ${JSON.stringify(outcome)}`)
    const others = [...(then === 'again' ? [] : [{}])]
    if (then !== 'another') others.push({ id: outcome.id })
    for (const sent of others) {
      const answer = await store.append(sent)
      if (answer.kind !== 'stored') bad.push(`${where}: ${JSON.stringify(answer)}`)
    }
    for (const problem of await store.findViolations()) bad.push(`${where}: ${problem}`)
  })
  count('short writes', cases.length)
  tell(`${cases.length} writes of which the system took a part of ${length} bytes`)
  expect(bad.slice(0, 20)).toEqual([])
})

test('a limit on the size of files, at each 4 KB step, leaves a log that goes on without it', async () => {
  const run = crashRun()
  const steps = Array.from({ length: 32 }, (_, n) => n).filter(() => run.random() < scale / 4)
  const bad: string[] = []
  await inParallel(steps, 2, async (pages) => {
    const store = new ExecutableStore(`${run.folder()}/data`)
    const around = limited(`--fsize=${pages * PAGE}`)
    const told = new Set<string>()
    for (let n = 0; n < 12; n++) {
      const outcome = await store.append({ around, pad: 1500 })
      told.add(outcome.kind === 'refused' ? outcome.code : outcome.kind)
    }
    const odd = [...told].filter((word) => !['stored', 'storage-full', 'unknown'].includes(word))
    if (odd.length > 0) bad.push(`${pages} pages: ${odd}`)
    if ((await store.append()).kind !== 'stored') bad.push(`${pages} pages: does not go on`)
    for (const problem of await store.findViolations()) bad.push(`${pages} pages: ${problem}`)
  })
  tell(`files of at most ${steps.map((pages) => pages * 4).join(', ')} KB`)
  expect(bad).toEqual([])
})

test('a process that may open few files says so or dies, and harms nothing', async () => {
  const run = crashRun()
  const store = new ExecutableStore(`${run.folder()}/data`)
  expect((await store.append()).kind).toBe('stored')
  const told = new Map<string, number>()
  for (let files = 3; files < 40; files += Math.max(1, Math.round(3 / scale))) {
    const outcome = await store.append({ around: limited(`--nofile=${files}`) })
    const word = outcome.kind === 'refused' ? outcome.code : outcome.kind
    told.set(word, (told.get(word) ?? 0) + 1)
  }
  tell(`told with few files: ${JSON.stringify(Object.fromEntries(told))}`)
  const allowed = ['stored', 'unknown', 'storage-unavailable']
  expect([...told.keys()].filter((word) => !allowed.includes(word))).toEqual([])
  expect((await store.append()).kind).toBe('stored')
  expect(await store.findViolations()).toEqual([])
})

test('a server that the system ends after a second of work loses nothing acknowledged', async () => {
  const run = crashRun()
  const store = new ExecutableStore(`${run.folder()}/data`)
  for (let round = 0; round < scaled(2); round++) {
    const server = await store.serve({ around: limited('--cpu=1') })
    const clients = Array.from({ length: 4 }, async () => {
      while (!server.hasEnded()) await store.append({ server, stream: `s-${round}` })
    })
    await Promise.all(clients)
  }
  tell(`${store.history.stored.length} appends acknowledged by servers of a second of work`)
  expect(store.history.stored.length).toBeGreaterThan(0)
  expect(await store.findViolations()).toEqual([])
})
