/** Uploads of the same contents by many processes that are killed, while temporary files are cleared away. */
import { spawn } from 'node:child_process'
import { readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import type { ContentHash } from '../../src/domain/ports.ts'
import { createFileContent } from '../../src/storage/file/content.ts'
import { syncDisk } from '../../src/storage/file/disk.ts'
import { openFolder } from '../../src/storage/file/folder.ts'
import { sweepTemporary } from '../../src/storage/file/temporary-files.ts'
import { count, crashRun, scaled, tell } from './crash-run.ts'
import { bundled } from './workers.ts'

const WRITERS = 8
const CONTENTS = 20
const clock = { now: () => Date.now() }
const TWO_DAYS_S = 172_800

/** Makes what is being written look old, and clears it away as an upload does that begins. */
function clearAway(folder: string): void {
  for (const name of readdirSync(folder)) {
    const old = Date.now() / 1000 - TWO_DAYS_S
    try {
      utimesSync(join(folder, name), old, old)
    } catch {
      // It is in its place already.
    }
  }
  sweepTemporary(syncDisk, folder, clock)
}

test('uploads by eight processes that are killed and cleared away under are whole or not there', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  const opened = await openFolder(syncDisk, root, { create: true, allowUnsafe: false, clock })
  if (!opened) throw new Error('no data folder')
  const { layout } = opened
  const acknowledged = new Set<string>()
  const failures = new Map<string, number>()
  let [puts, kills, sweeps] = [0, 0, 0]
  const isOver = () => puts >= scaled(5000) && kills >= scaled(100)
  const one = async () => {
    while (!isOver()) {
      const words = [await bundled('content-writer'), root, String(CONTENTS)]
      const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
      let isMarked = false
      for await (const line of createInterface({ input: child.stdout })) {
        if (!isMarked) setTimeout(() => child.kill('SIGKILL'), 1 + run.random() * 1500)
        isMarked = true
        const [word, what = ''] = line.split(' ')
        if (word === 'ok' && what.length === 64) {
          acknowledged.add(what)
          puts++
        } else if (word === 'failed') failures.set(line, (failures.get(line) ?? 0) + 1)
      }
      kills++
    }
  }
  const clearing = setInterval(() => {
    clearAway(layout.temporary)
    sweeps++
  }, 40)
  await Promise.all(Array.from({ length: WRITERS }, one))
  clearInterval(clearing)
  count('uploads', puts)
  tell(`${puts} uploads, ${kills} kills, ${sweeps} sweeps, ${JSON.stringify([...failures])}`)
  const content = createFileContent({ disk: syncDisk, layout, clock })
  // What an upload that was killed has left is told of, and no damage.
  const { findings } = await content.verify()
  expect(findings.filter(({ kind }) => kind !== 'notice')).toEqual([])
  expect(acknowledged.size).toBe(CONTENTS)
  for (const hash of acknowledged) expect(await content.info(hash as ContentHash)).toBeDefined()
  // An upload whose file was taken from it says so; it is never told that it is stored, nor fails inside.
  for (const line of failures.keys()) expect(line).toMatch(/^failed storage-unavailable$/)
})
