/**
 * Data folders with many events in them, and the curve of how they grew. Filling takes minutes, so what was
 * filled is kept below `build/bench-data` for as long as the file engine stays what it is.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asyncDisk } from '../src/storage/file/disk.ts'
import { type FileStore, openFileStore } from '../src/storage/file/engine.ts'
import { appendOf } from './events.ts'
import { say } from './measurement.ts'

const PROJECT = fileURLToPath(new URL('..', import.meta.url))
const KEPT = join(PROJECT, 'build/bench-data')
const STEP = 10_000
const CONCURRENT = 64

/** One step of growth: events so far, and of its appends the rate and the longest. */
export type GrowthStep = {
  readonly events: number
  readonly perSecond: number
  readonly worstMs: number
}

export type FilledStore = { readonly folder: string; readonly growth: readonly GrowthStep[] }

/** Opens a store as a server does, synced. */
export async function openStore(root: string): Promise<FileStore> {
  const store = await openFileStore({
    disk: asyncDisk,
    root,
    create: true,
    allowUnsafe: false,
    clock: { now: () => Date.now() },
    segmentBytes: 64 << 20,
    lockTimeoutMs: 8000,
    sync: true,
    catchUpMs: 60_000,
    isLongLived: true,
  })
  if (!store) throw new Error('no store')
  return store
}

/** A store of `events` events; filled now unless one is kept. */
export async function filledStore(events: number): Promise<FilledStore> {
  const kept = join(KEPT, `${sourceDigest()}-${events}`)
  const curve = join(kept, 'growth.json')
  const folder = join(kept, 'data')
  if (!fs.existsSync(curve)) {
    fs.rmSync(kept, { recursive: true, force: true })
    fs.mkdirSync(kept, { recursive: true })
    say(`  filling a log with ${events} events`)
    fs.writeFileSync(curve, JSON.stringify(await fill(folder, events)))
  }
  return { folder, growth: JSON.parse(fs.readFileSync(curve, 'utf8')) as GrowthStep[] }
}

/** A copy that may be written to; the caller removes it. */
export function copyOf({ folder }: FilledStore): string {
  const copy = fs.mkdtempSync(join(KEPT, 'copy-'))
  fs.cpSync(folder, copy, { recursive: true, mode: fs.constants.COPYFILE_FICLONE })
  // Else the first syncs of whoever is measured write the copy, too.
  execFileSync('sync')
  return copy
}

/** Removes what earlier sources filled, and copies that were left behind. */
export function clearOldStores(): void {
  const current = `${sourceDigest()}-`
  for (const name of fs.existsSync(KEPT) ? fs.readdirSync(KEPT) : []) {
    if (!name.startsWith(current)) fs.rmSync(join(KEPT, name), { recursive: true })
  }
}

async function fill(folder: string, events: number): Promise<GrowthStep[]> {
  const store = await openStore(folder)
  const growth: GrowthStep[] = []
  for (let from = 0; from < events; from += STEP) {
    const count = Math.min(STEP, events - from)
    growth.push({ events: from + count, ...(await appendMany(store, from, count, CONCURRENT)) })
  }
  await store.close()
  return growth
}

/** Appends events `from` to `from + count - 1`, so many at a time. */
export async function appendMany(
  store: FileStore,
  from: number,
  count: number,
  concurrent: number,
  series = 0,
): Promise<{ readonly perSecond: number; readonly worstMs: number }> {
  let next = from
  let worstMs = 0
  const writer = async (): Promise<void> => {
    while (next < from + count) {
      const begun = performance.now()
      await store.log.append(appendOf(next++, series))
      worstMs = Math.max(worstMs, performance.now() - begun)
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: Math.min(concurrent, count) }, writer))
  return { perSecond: (count / (performance.now() - start)) * 1000, worstMs }
}

/** Stays the same for a whole run, also where somebody edits a source meanwhile. */
export function sourceDigest(): string {
  const given = process.env['APIE_BENCH_SOURCES']
  if (given !== undefined) return given
  const digest = createHash('sha256')
  for (const folder of ['src/storage/file', 'bench']) {
    for (const name of fs.readdirSync(join(PROJECT, folder)).sort()) {
      if (folder === 'bench' && name !== 'events.ts') continue
      digest.update(fs.readFileSync(join(PROJECT, folder, name)))
    }
  }
  return digest.digest('hex').slice(0, 16)
}
