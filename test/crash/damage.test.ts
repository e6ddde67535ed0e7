/**
 * Every byte of a log changed in four ways, and the log cut at every length: whatever is served is what was
 * stored, and damage is reported.
 */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { StoredEvent } from '../../src/domain/event.ts'
import { layoutOf, segmentName } from '../../src/storage/file/layout.ts'
import { appendTo, draft, jsonBody } from '../support/drafts.ts'
import { count, scale, tell } from './crash-run.ts'
import { type DiskImage, MemoryDisk } from './memory-disk.ts'
import { openLog } from './open-log.ts'

const ROOT = '/data'
const BOOT = 'a boot'
const LOG_BYTES = 65_536
const layout = layoutOf(ROOT).events
const first = join(layout.segments, segmentName(1))

type Original = {
  readonly image: DiskImage
  readonly folders: readonly string[]
  readonly log: Buffer
  readonly events: readonly { readonly hash: string; readonly json: string }[]
}

const turns = { boot: BOOT, lock: 'no-lock', segmentBytes: 1 << 30 } as const

async function makeOriginal(): Promise<Original> {
  const memory = new MemoryDisk()
  const { log } = await openLog(ROOT, { ...turns, disk: memory.disk })
  const events: { hash: string; json: string }[] = []
  for (let n = 0; memory.disk.status(first) === undefined || sizeOf(memory) < LOG_BYTES; n++) {
    const batch = n % 5 === 0 ? [draft(3 * n), draft(3 * n + 1), draft(3 * n + 2)] : [draft(3 * n)]
    const body = jsonBody(JSON.stringify({ n, pad: 'ä'.repeat(n % 90) }))
    const drafts = batch.map((one) => ({ ...one, body }))
    const { events: stored } = await log.append(appendTo(`s-${n % 4}`, drafts))
    for (const { hash, json } of stored) events.push({ hash, json: Buffer.from(json).toString() })
  }
  await log.close()
  const image = memory.image()
  return { image, folders: memory.folderPaths(), log: image.get(first) as Buffer, events }
}

function sizeOf(memory: MemoryDisk): number {
  return memory.disk.status(first)?.size ?? 0
}

let verified = 0

type Outcome = { readonly isDamaged: boolean; readonly served: number; readonly wrong?: string }

/** Reads and verifies a log with other bytes. */
async function outcomeOf(original: Original, log: Buffer, hasIndex: boolean): Promise<Outcome> {
  const image = new Map(original.image)
  image.set(first, log)
  if (!hasIndex) for (const path of image.keys()) if (path.includes('/index/')) image.delete(path)
  const memory = new MemoryDisk(image, original.folders)
  const opened = await openLog(ROOT, { ...turns, disk: memory.disk })
  let served = 0
  let isDamaged = false
  let wrong: string | undefined
  const look = (event: StoredEvent) => {
    const expected = original.events[event.position]
    const isSame = expected?.hash === event.hash && expected.json === event.json.toString()
    if (!isSame) wrong = `position ${event.position} is not what was stored`
    served++
  }
  try {
    for await (const run of opened.log.readLog(0, Number.MAX_SAFE_INTEGER, 'forwards')) {
      for (const event of run) look(event)
    }
  } catch (error) {
    isDamaged = (error as { code?: string }).code === 'log-damaged'
    if (!isDamaged) wrong = String(error)
  }
  // Reading has noticed most of it, which is quick; verifying has to notice all of it.
  if (!isDamaged || verified++ % 64 === 0) {
    const report = await opened.log.verify()
    isDamaged = report.findings.some(({ kind }) => kind === 'damage')
  }
  return { isDamaged, served, ...(wrong === undefined ? {} : { wrong }) }
}

const CHANGES: readonly ((byte: number, at: number) => number)[] = [
  (byte, at) => byte ^ (1 << (at % 8)),
  () => 0x00,
  () => 0xff,
  () => 0x0a,
]

/** How many bytes are left out between two that are changed. */
const STEP = Math.max(1, Math.round(1 / scale))

test('a changed byte is reported, and no changed event is served', async () => {
  const original = await makeOriginal()
  const bad: string[] = []
  let cases = 0
  for (let at = 0; at < original.log.length; at += STEP) {
    for (const change of CHANGES) {
      const byte = original.log[at] as number
      if (change(byte, at) === byte) continue
      const log = Buffer.from(original.log)
      log[at] = change(byte, at)
      const { isDamaged, wrong } = await outcomeOf(original, log, true)
      if (wrong || !isDamaged) bad.push(`byte ${at} to ${log[at]}: ${wrong ?? 'not reported'}`)
      cases++
    }
  }
  count('changed bytes', cases)
  tell(`${cases} changed bytes, ${bad.length} unnoticed or served wrongly`)
  expect(bad.slice(0, 10)).toEqual([])
})

test('a log that was cut is reported', async () => {
  const original = await makeOriginal()
  const bad: string[] = []
  let cases = 0
  for (let length = 0; length < original.log.length; length += STEP) {
    const { isDamaged, wrong } = await outcomeOf(original, original.log.subarray(0, length), true)
    if (wrong || !isDamaged) bad.push(`cut to ${length}: ${wrong ?? 'not reported'}`)
    cases++
  }
  count('cuts', cases)
  tell(`${cases} cuts, ${bad.length} unnoticed or served wrongly`)
  expect(bad.slice(0, 10)).toEqual([])
})

test('without an index, what is served is the beginning of what was stored', async () => {
  const original = await makeOriginal()
  const bad: string[] = []
  let cases = 0
  for (let at = 0; at < original.log.length; at += STEP * 61) {
    const log = Buffer.from(original.log)
    log[at] = (log[at] as number) ^ 1
    const changed = await outcomeOf(original, log, false)
    const cut = await outcomeOf(original, original.log.subarray(0, at), false)
    const isLast = changed.served === original.events.length
    if (changed.wrong) bad.push(`byte ${at}: ${changed.wrong}`)
    if (cut.wrong) bad.push(`cut to ${at}: ${cut.wrong}`)
    if (isLast) bad.push(`byte ${at}: every event is served though one was changed`)
    cases += 2
  }
  tell(`${cases} changes and cuts without an index, ${bad.length} served wrongly`)
  expect(bad.slice(0, 10)).toEqual([])
})
