/** An index that is built anew from the log equals the one that grew with it, at any point of its life. */
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { appendTo, draft, jsonBody } from '../support/drafts.ts'
import { count, crashRun, scaled, tell } from './crash-run.ts'
import { MemoryDisk } from './memory-disk.ts'
import { openLog } from './open-log.ts'

const ROOT = '/data'
const turns = { boot: 'a boot', lock: 'no-lock', segmentBytes: 16_384 } as const

/** The index files by name; hints, which may lag behind, are left out. */
function indexFiles(memory: MemoryDisk): Map<string, string> {
  const files = new Map<string, string>()
  for (const [path, bytes] of memory.image()) {
    if (!path.startsWith(`${ROOT}/index/`) || basename(path) === 'head') continue
    const name = basename(path)
    files.set(name, name === 'sequences' ? withoutHints(bytes) : bytes.toString('hex'))
  }
  return files
}

function withoutHints(bytes: Buffer): string {
  const copy = Buffer.from(bytes)
  for (let at = 0; at < copy.length; at += 32) copy.fill(0, at + 22, Math.min(at + 32, copy.length))
  return copy.toString('hex')
}

test('at 1,000 points of a log', async () => {
  const run = crashRun()
  let points = 0
  while (points < scaled(1000)) {
    const memory = new MemoryDisk()
    const { log } = await openLog(ROOT, { ...turns, disk: memory.disk })
    for (let n = 0; n < 50; n++) {
      const size = 1 + Math.floor(run.random() * 4)
      const drafts = Array.from({ length: size }, (_, at) =>
        draft(n * 10 + at, { type: `t${Math.floor(run.random() * 5)}` }),
      )
      await log.append(appendTo(`c${n % 3}-${Math.floor(run.random() * 20)}`, drafts))
      const again = new MemoryDisk(memory.image(), memory.folderPaths())
      const image = again.image()
      for (const path of image.keys()) {
        if (path.startsWith(`${ROOT}/index/`)) again.disk.unlink(path)
      }
      const rebuilt = await openLog(ROOT, { ...turns, disk: again.disk })
      await rebuilt.log.reindex(() => {})
      expect(indexFiles(again)).toEqual(indexFiles(memory))
      points++
    }
    expect((await log.verify()).findings).toEqual([])
    await log.close()
  }
  count('index points', points)
  tell(`${points} points, each index equal`)
})

test('of a file that is larger than what is read at once, every event is read', async () => {
  const run = crashRun()
  const memory = new MemoryDisk()
  const large = { ...turns, segmentBytes: 1 << 24, disk: memory.disk }
  const { log } = await openLog(ROOT, large)
  const hashes: string[] = []
  for (let n = 0; hashes.length < 4000; n += 100) {
    const drafts = Array.from({ length: 100 }, (_, at) => {
      const pad = 'x'.repeat(Math.floor(run.random() * 2000))
      return draft(n + at, { body: jsonBody(JSON.stringify(pad)) })
    })
    // A line each, of any length, so that the ends of what is read at once fall anywhere.
    const stored = await Promise.all(drafts.map((one) => log.append(appendTo('s', [one]))))
    hashes.push(...stored.map(({ events }) => events[0]?.hash ?? ''))
  }
  await log.close()
  for (const path of memory.image().keys()) {
    if (path.startsWith(`${ROOT}/index/`)) memory.disk.unlink(path)
  }
  const again = await openLog(ROOT, large)
  const found: string[] = []
  for await (const events of again.log.readLog(0, 1e9, 'forwards')) {
    found.push(...events.map(({ hash }) => hash))
  }
  expect(found).toEqual(hashes)
  expect((await again.log.verify()).findings).toEqual([])
})
