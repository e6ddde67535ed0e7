/**
 * Speed of the content store in one process, as a ratio to `sha256sum` of the same file: 1 GiB (or the
 * number of MiB given) up and down, with the peak of resident memory. Prints JSON.
 *
 *     node bench/content.ts [MiB] [sync|async]
 */
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFileContent } from '../src/storage/file/content.ts'
import { asyncDisk, syncDisk } from '../src/storage/file/disk.ts'
import { openFolder } from '../src/storage/file/folder.ts'

async function main(mebibytes: number, kind: string): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'apie-bench-content-'))
  try {
    const source = join(folder, 'source')
    const command = `dd if=/dev/urandom of=${source} bs=1M count=${mebibytes} conv=fsync`
    spawnSync('sh', ['-c', command], { stdio: 'ignore' })
    const result = await measure(folder, source, kind === 'sync' ? syncDisk : asyncDisk)
    console.log(JSON.stringify({ kind, mebibytes, ...result }))
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

async function measure(folder: string, source: string, disk: typeof syncDisk) {
  const clock = { now: () => Date.now() }
  const opened = await openFolder(disk, join(folder, 'data'), {
    create: true,
    allowUnsafe: false,
    clock,
  })
  if (!opened) throw new Error('no data folder')
  const content = createFileContent({ disk, layout: opened.layout, clock })
  const before = sum(source)
  const base = process.resourceUsage().maxRSS / 1024
  const up = await timed(() => content.put(pieces(source), { filename: 'f', mediaType: 'x/y' }))
  const upPeak = process.resourceUsage().maxRSS / 1024
  const down = await timed(async () => {
    let size = 0
    for await (const piece of (await content.read(up.value.hash)) ?? []) size += piece.length
    return size
  })
  const after = sum(source)
  const sha256sum = (before + after) / 2
  return {
    sha256sumSeconds: sha256sum,
    upRatio: sha256sum / up.seconds,
    downRatio: sha256sum / down.seconds,
    baseResidentMiB: base,
    upPeakResidentMiB: upPeak,
    peakResidentMiB: process.resourceUsage().maxRSS / 1024,
  }
}

/** As pieces come from a socket: 64 KiB each, in memory that is used again. */
async function* pieces(path: string): AsyncGenerator<Uint8Array> {
  const fd = fs.openSync(path, 'r')
  const buffer = Buffer.alloc(64 * 1024)
  for (;;) {
    const count = fs.readSync(fd, buffer)
    if (count === 0) break
    yield buffer.subarray(0, count)
  }
  fs.closeSync(fd)
}

function sum(path: string): number {
  const start = performance.now()
  execFileSync('sha256sum', [path])
  return (performance.now() - start) / 1000
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const start = performance.now()
  const value = await work()
  return { value, seconds: (performance.now() - start) / 1000 }
}

await main(Number(process.argv[2] ?? 1024), process.argv[3] ?? 'async')
