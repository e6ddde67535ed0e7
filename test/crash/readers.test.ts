/** Readers beside writers, all of them killed at any moment: each sees one log that only grows. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { count, crashRun, type Random, scaled, tell } from './crash-run.ts'
import { findViolations, killWriters } from './killing.ts'
import { openFolderForTest } from './store-for-kills.ts'
import { bundled } from './workers.ts'

type Seen = { readonly hashes: string[]; readonly problems: string[]; kills: number }

/** One reader after the other, each from where the one before was killed. */
async function follow(folder: string, random: Random, isOver: () => boolean): Promise<Seen> {
  const seen: Seen = { hashes: [], problems: [], kills: 0 }
  while (!isOver() && seen.problems.length === 0) {
    const words = [await bundled('reader'), folder, String(seen.hashes.length)]
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (bytes: Buffer) => {
      errors += bytes
    })
    let timer: NodeJS.Timeout | undefined
    // A line that the kill cut off is none that the reader was told.
    for await (const line of createInterface({ input: child.stdout })) {
      timer ??= setTimeout(() => child.kill('SIGKILL'), 20 + random() * 1000)
      const [position, hash = ''] = line.split(' ')
      if (hash.length < 64) continue
      if (Number(position) === seen.hashes.length) seen.hashes.push(hash)
      else seen.problems.push(`${position} behind ${seen.hashes.length - 1}`)
      if (isOver()) child.kill('SIGKILL')
    }
    clearTimeout(timer)
    if (errors !== '') seen.problems.push(errors)
    seen.kills++
  }
  return seen
}

test('four readers that are killed go on where they were, and see what is acknowledged', async () => {
  const run = crashRun()
  const folder = `${run.folder()}/data`
  const log = await openFolderForTest(folder, true)
  let isOver = false
  const readers = Array.from({ length: 4 }, () => follow(folder, run.random, () => isOver))
  const history = await killWriters({
    folder,
    writers: 4,
    kills: scaled(150),
    acknowledged: 0,
    hasLock: true,
    largestBody: () => 20_000,
    life: [50, 1200],
    random: run.random,
  })
  isOver = true
  // What ends the readers is an event that they see.
  const words = [await bundled('writer'), folder, 'lock', 'last', '10', '1', '1']
  const last = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: last.stdout })) {
    const [word, id = '', stream = '', position, hash = ''] = line.split(' ')
    if (word === 'try') history.tried.set(id, 0)
    if (word === 'ok') history.acknowledged.push({ id, stream, position: Number(position), hash })
  }
  const seen = await Promise.all(readers)
  const hashes: string[] = []
  for await (const events of log.readLog(0, Number.MAX_SAFE_INTEGER, 'forwards')) {
    hashes.push(...events.map(({ hash }) => hash))
  }
  for (const { hashes: own, problems } of seen) {
    expect(problems).toEqual([])
    expect(own).toEqual(hashes.slice(0, own.length))
  }
  const kills = seen.reduce((sum, one) => sum + one.kills, 0)
  count('kills of readers', kills)
  tell(`${kills} readers and ${history.kills} writers killed, ${hashes.length} events`)
  expect(Math.max(...seen.map(({ hashes: own }) => own.length))).toBeGreaterThan(0)
  expect(history.failures).toEqual([])
  const { examples } = await findViolations(folder, history)
  expect(examples).toEqual([])
  await log.close()
})
