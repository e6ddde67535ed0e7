/** Copies that are made while the store is written: each holds a beginning of the history, and goes on from it. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { randomUuid } from '../../src/kit/random.ts'
import { until } from '../support/use-apache.ts'
import { count, crashRun, type Random, scaled, tell } from './crash-run.ts'
import { openLog } from './open-log.ts'
import { findViolations, type Told } from './oracle.ts'
import { Worker } from './workers.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

type Copy = (from: string, to: string, random: Random) => Promise<void>

async function run(command: string, ...words: readonly string[]): Promise<void> {
  const child = spawn(command, words, { stdio: 'ignore' })
  const [status] = (await once(child, 'close')) as [number]
  // 1: a file changed while it was read, or went away.
  if (status > 1) throw new Error(`${command} ended with ${status}`)
}

/** A temporary file that is gone by now was no part of the store. */
async function copyFiles(from: string, to: string, names: readonly string[], random: Random) {
  for (const name of names) {
    mkdirSync(dirname(join(to, name)), { recursive: true })
    try {
      copyFileSync(join(from, name), join(to, name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
    await pause(random() * 10)
  }
}

/** As `find` sees them, which minds no folder that goes away meanwhile. */
function filesOf(root: string): string[] {
  const words = [root, '-type', 'f', '-printf', '%P\\n']
  return spawnSync('find', words, { encoding: 'utf8' }).stdout.trim().split('\n')
}

const COPIES: readonly (readonly [string, Copy])[] = [
  ['cp -r', (from, to) => run('cp', '-r', from, to)],
  [
    'tar',
    async (from, to) => {
      mkdirSync(to)
      await run('sh', '-c', `tar -C '${from}' -cf - . | tar -C '${to}' -xf -`)
    },
  ],
  [
    'file by file, in any order',
    (from, to, random) => {
      const names = filesOf(from).map((name) => ({ name, at: random() }))
      const mixed = names.sort((a, b) => a.at - b.at).map(({ name }) => name)
      return copyFiles(from, to, mixed, random)
    },
  ],
  [
    'the head first and the log last',
    async (from, to, random) => {
      // Listed after the head is copied: it may tell of a segment that was begun since an earlier look.
      await copyFiles(from, to, ['index/head'], random)
      const rank = (name: string) => (name.startsWith('log/') ? 1 : 0)
      const names = filesOf(from).filter((name) => name !== 'index/head')
      const sorted = names.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
      return copyFiles(from, to, sorted, random)
    },
  ],
  [
    'without index folders, as the manual says',
    async (from, to) => {
      mkdirSync(to)
      await run('sh', '-c', `tar -C '${from}' --exclude=index -cf - . | tar -C '${to}' -xf -`)
    },
  ],
]

test('a copy made in any way while it is written is a beginning of the history', async () => {
  const { folder, random } = crashRun()
  const root = `${folder()}/data`
  const opened = await openLog(root)
  const workers = await Promise.all(
    [0, 1, 2].map((n) => Worker.start(root, 'lock', { isLongLived: n > 0, segmentBytes: 20_000 })),
  )
  const stored: Told[] = []
  let isOver = false
  const writing = workers.map(async (worker, slot) => {
    for (let n = 0; !isOver; n++) {
      const id = randomUuid()
      const answer = await worker.ask({ id, stream: `s-${slot}`, pad: (n * 97) % 3000 })
      if (answer?.kind !== 'appended') throw new Error(JSON.stringify(answer))
      stored.push({ id, position: answer.position, hash: answer.hash })
    }
  })
  // A copy file by file leaves empty folders out, and a store without the folder of its log is damaged.
  await until(() => stored.length > 20, 60_000)
  const bad: string[] = []
  const places: { readonly what: string; readonly place: string; readonly least: number }[] = []
  for (let round = 0; round < scaled(35); round++) {
    const [what, copy] = COPIES[round % COPIES.length] as (typeof COPIES)[number]
    const place = join(folder(), 'copy')
    const least = stored.length
    await copy(root, place, random)
    places.push({ what, place, least })
  }
  isOver = true
  await Promise.all(writing)
  await Promise.all(workers.map((worker) => worker.end()))
  const whole = new Map(stored.map(({ position, hash, id }) => [position, { hash, id }]))
  let damaged = 0
  for (const { what, place, least } of places) {
    execFileSync('chmod', ['700', place])
    let copy = await openLog(place)
    const findings = (await copy.log.verify()).findings
    // A head that was copied behind the log: told, and accepted by leaving the index out.
    if (findings.some(({ kind }) => kind === 'damage')) {
      damaged++
      tell(`${what}: ${findings.map(({ message }) => message).join('; ')}`)
      if (/manual|head first/.test(what)) bad.push(`${what}: ${findings[0]?.message}`)
      rmSync(copy.layout.index, { recursive: true, force: true })
      copy = await openLog(place)
    }
    await copy.log.reindex(() => undefined)
    const { count: length } = await copy.log.head()
    // All that was there before the copying began is in it, whatever order the files were taken in.
    const beginning = Array.from({ length }, (_, position) => position)
    const known = beginning.flatMap((position) => {
      const told = whole.get(position)
      return told === undefined ? [] : [{ ...told, position }]
    })
    if (length < least - workers.length) bad.push(`${what}: ${length} events of ${least}`)
    for (const problem of await findViolations(copy, { stored: known, refused: new Set() }))
      bad.push(`${what}: ${problem}`)
    await copy.log.close()
  }
  count('copies', places.length)
  tell(`${places.length} copies of up to ${stored.length} events, ${damaged} with an older log`)
  expect(bad.slice(0, 20)).toEqual([])
  expect(await findViolations(opened, { stored, refused: new Set() })).toEqual([])
})
