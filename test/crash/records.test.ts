/** Records that move on from one generation to the next, meanwhile killed, paused and written to. */
import { spawn } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { syncDisk } from '../../src/storage/file/disk.ts'
import type { FileStore } from '../../src/storage/file/engine.ts'
import { noLock } from '../../src/storage/file/lock.ts'
import { changingCalls } from '../support/fault-disk.ts'
import { armedDisk } from './armed-disk.ts'
import { crashRun, scaled, tell } from './crash-run.ts'
import { LEAVE_AT, openRecords } from './record-store.ts'
import { bundled } from './workers.ts'

type Counted = { least: number; most: number }

async function raise({ records }: FileStore, key: string): Promise<number> {
  const found = await records.read('counter', key)
  const { count = 0 } = (found?.value ?? {}) as { readonly count?: number }
  await records.write('counter', key, { count: count + 1 }, found?.revision ?? 'absent')
  return count + 1
}

async function countOf({ records }: FileStore, key: string): Promise<number> {
  const found = await records.read('counter', key)
  return ((found?.value ?? {}) as { readonly count?: number }).count ?? 0
}

async function generationOf(store: FileStore): Promise<number> {
  return (await store.records.verify?.())?.counts['generation'] ?? -1
}

const bytesOf = (path: string): number =>
  statSync(path).isDirectory()
    ? readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0)
    : statSync(path).blocks * 512

test('a process that dies at any call of the disk loses no record, and the next goes on', async () => {
  const run = crashRun()
  const bad: string[] = []
  const keys = ['g/a', 'g/b', 'c']
  const before = join(run.folder(), 'data')
  const first = await openRecords(before)
  for (let n = 0; n < LEAVE_AT - 2; n++) await raise(first, keys[n % 3] ?? '')
  await first.records.remove(
    'counter',
    'c',
    (await first.records.read('counter', 'c'))?.revision ?? 0,
  )
  const start = await Promise.all(keys.map((key) => countOf(first, key)))
  await first.close()
  let cases = 0
  for (const mode of ['from-then-on', 'once'] as const) {
    for (let failAt = 1, isMet = true; isMet; failAt++) {
      const root = join(run.folder(), 'data')
      cpSync(before, root, { recursive: true })
      chmodSync(root, 0o700)
      const armed = armedDisk(syncDisk)
      const dying = await openRecords(root, { disk: armed.disk, lock: noLock })
      const counted = keys.map(
        (_, at): Counted => ({ least: start[at] ?? 0, most: start[at] ?? 0 }),
      )
      armed.arm({ failAt, code: 'EIO', mode, only: changingCalls })
      for (let n = 0; n < 12; n++) {
        const seen = counted[n % 3] as Counted
        try {
          seen.least = await raise(dying, keys[n % 3] ?? '')
          seen.most = Math.max(seen.most, seen.least)
        } catch (error) {
          if (!(error instanceof AppError)) bad.push(`call ${failAt} ${mode}: ${error}`)
          seen.most++
        }
      }
      isMet = armed.disarm()
      await dying.close()
      const next = await openRecords(root, { lock: noLock })
      for (const [at, key] of keys.entries()) {
        const count = await countOf(next, key)
        const { least, most } = counted[at] as Counted
        if (count < least || count > most) {
          bad.push(`call ${failAt} ${mode}: ${key} is ${count}, not ${least} to ${most}`)
        }
      }
      for (let n = 0; n < LEAVE_AT + 8; n++) await raise(next, keys[n % 3] ?? '')
      if ((await generationOf(next)) < 1) bad.push(`call ${failAt} ${mode}: never moved on`)
      for (const { message } of (await next.records.verify?.())?.findings ?? []) bad.push(message)
      const listed = (await next.records.list('counter')).map(({ key }) => key)
      if (listed.slice(0, 2).join() !== 'g/a,g/b') bad.push(`call ${failAt}: order ${listed}`)
      await next.close()
      rmSync(root, { recursive: true })
      cases++
    }
  }
  tell(`${cases} processes died while records were written and moved on`)
  expect(cases).toBeGreaterThan(200)
  expect(bad.slice(0, 20)).toEqual([])
})

test('killed writers lose no count and count nothing twice, and readers never find none', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  const store = await openRecords(root)
  const tried = new Map<string, number>()
  const acknowledged = new Map<string, number[]>()
  const failures: string[] = []
  let kills = 0
  let total = 0
  const isOver = () => kills >= scaled(100) && total >= scaled(5000)
  /** Looks at the counters again and again: each is what it was or more, and never gone. */
  const read = async (): Promise<number> => {
    const reader = await openRecords(root)
    let looks = 0
    while (!isOver()) {
      for (const [key, counts] of acknowledged) {
        const least = Math.max(...counts)
        const found = await countOf(reader, key)
        if (found < least) failures.push(`${key} is ${found}, not ${least} or more`)
        looks++
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await reader.close()
    return looks
  }
  const one = async () => {
    while (!isOver()) {
      const child = spawn(process.execPath, [await bundled('record-writer'), root, '6'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let isMarked = false
      const lines = createInterface({ input: child.stdout })
      for await (const line of lines) {
        if (!isMarked) setTimeout(() => child.kill('SIGKILL'), 1 + run.random() * 1200)
        isMarked = true
        const [word, key = '', count] = line.split(' ')
        if (word === 'try') tried.set(key, (tried.get(key) ?? 0) + 1)
        else if (word === 'ok') {
          acknowledged.set(key, [...(acknowledged.get(key) ?? []), Number(count)])
          total++
        } else if (!line.endsWith(' record-conflict')) failures.push(line)
      }
      kills++
    }
  }
  const [, , , ...looks] = await Promise.all([one(), one(), one(), read(), read()])
  expect(failures).toEqual([])
  for (const [key, counts] of acknowledged) {
    expect(new Set(counts).size, `${key} was raised to one number twice`).toBe(counts.length)
    const count = await countOf(store, key)
    expect(count).toBeGreaterThanOrEqual(Math.max(...counts))
    expect(count).toBeLessThanOrEqual(tried.get(key) ?? 0)
  }
  const generation = await generationOf(store)
  tell(`${kills} kills, ${total} acknowledged, ${looks} looks, generation ${generation}`)
  expect(generation).toBeGreaterThan(5)
  expect((await store.records.verify?.())?.findings).toEqual([])
  await store.close()
})

test('a copy that was taken in the middle, with the next generation missing, has every record', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  const store = await openRecords(root)
  for (let n = 0; n < LEAVE_AT + 8; n++) await raise(store, `k${n % 4}`)
  expect(await generationOf(store)).toBe(1)
  const moved = await Promise.all([0, 1, 2, 3].map((n) => countOf(store, `k${n}`)))
  await store.close()
  rmSync(join(root, 'records', '1'), { recursive: true })
  const restored = await openRecords(root)
  const found = await Promise.all([0, 1, 2, 3].map((n) => countOf(restored, `k${n}`)))
  // What was written behind the move is gone with its file, nothing from before it is.
  for (const [at, count] of found.entries()) {
    expect(count).toBeGreaterThan(0)
    expect(count).toBeLessThanOrEqual(moved[at] ?? 0)
  }
  expect(found.reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(LEAVE_AT + 4)
  expect(await generationOf(restored)).toBe(1)
  await restored.close()
})

test('whoever has an old generation open reads and writes the new one', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  let now = Date.now()
  const [one, other] = await Promise.all([openRecords(root), openRecords(root, { now: () => now })])
  await raise(one, 'a')
  expect(await countOf(other, 'a')).toBe(1)
  for (let n = 0; n < 100; n++) await raise(one, 'a')
  expect(await countOf(other, 'a')).toBe(101)
  await raise(other, 'a')
  expect(await countOf(one, 'a')).toBe(102)
  expect(await generationOf(one)).toBeGreaterThanOrEqual(3)
  now += 120_000
  await raise(other, 'a')
  const left = readdirSync(join(root, 'records'))
  expect(left).toEqual([String(await generationOf(other))])
  await one.close()
  await other.close()
})

test('writing a few records again and again keeps the folder small', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  const store = await openRecords(root, { leaveAt: 8192 })
  const revisions = new Map<string, number>()
  const rounds = scaled(1000)
  let largest = 0
  for (let round = 0; round < rounds; round++) {
    const writes = Array.from({ length: 100 }, async (_, at) => {
      const key = `g${at % 5}/k${at}`
      const expected = revisions.get(key) ?? 'absent'
      const { revision } = await store.records.write('offset', key, { round }, expected)
      revisions.set(key, revision)
    })
    await Promise.all(writes)
    if (round % 50 === 0) largest = Math.max(largest, bytesOf(join(root, 'records')))
  }
  tell(`${rounds * 100} record writes, at most ${Math.round(largest / 1e6)} MB`)
  expect(largest).toBeLessThan(24e6)
  expect(await store.records.list('offset')).toEqual(
    [...revisions].map(([key, revision]) => ({ key, value: { round: rounds - 1 }, revision })),
  )
  expect((await store.records.verify?.())?.findings).toEqual([])
  await store.close()
})
