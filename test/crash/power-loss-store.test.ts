/** The power goes while content, records and scavenged files are written, and once more while that is mended. */
import { expect, test } from 'vitest'
import type { ContentHash } from '../../src/domain/ports.ts'
import { sha256Hex } from '../../src/kit/sha256.ts'
import type { FileStore } from '../../src/storage/file/engine.ts'
import { noLock } from '../../src/storage/file/lock.ts'
import { appendTo, draft, jsonBody } from '../support/drafts.ts'
import { openTestStore } from '../support/file-store.ts'
import { count, crashRun, type Random, scaled, tell } from './crash-run.ts'
import { MemoryDisk } from './memory-disk.ts'
import { openLog } from './open-log.ts'
import { findViolations, type History } from './oracle.ts'
import { type Loss, PowerDisk } from './power-disk.ts'

const ROOT = '/data'
const NAMES = { filename: 'a.txt', mediaType: 'text/plain' }

function open(disk: MemoryDisk['disk']): Promise<FileStore> {
  return openTestStore(ROOT, {
    disk,
    clock: { now: () => 1_800_000_000_000 },
    segmentBytes: 2000,
    leaveRecordsAt: 4,
    lock: noLock,
  })
}

/** What a store was told to do and answered, so far. */
type Told = {
  readonly texts: Set<string>
  readonly events: Map<number, string>
  /** Of a record: the last value that was acknowledged, and the last that was sent. */
  readonly record: { acknowledged: number; sent: number }
}

const bytesOf = async function* (text: string) {
  yield Buffer.from(text)
}

async function put(store: FileStore, text: string, told: Told): Promise<void> {
  await store.content.put(bytesOf(text), NAMES)
  told.texts.add(text)
}

async function raise(store: FileStore, { record }: Told): Promise<void> {
  const found = await store.records.read('counter', 'k')
  record.sent++
  await store.records.write('counter', 'k', { count: record.sent }, found?.revision ?? 'absent')
  record.acknowledged = record.sent
}

async function append(store: FileStore, n: number, told: Told): Promise<void> {
  const body = jsonBody(JSON.stringify({ n, pad: 'x'.repeat(400) }))
  const drafts = [{ ...draft(n), body }]
  const { events } = await store.log.append(appendTo(n % 2 === 0 ? 'drop' : 'keep', drafts))
  for (const { position, hash } of events) told.events.set(position, hash)
}

type Work = (store: FileStore, told: Told) => Promise<void>

const WORKS: readonly (readonly [what: string, work: Work])[] = [
  [
    'content that is put, and put again',
    async (store, told) => {
      await put(store, 'one', told)
      await put(store, 'two'.repeat(1000), told)
      await put(store, 'one', told)
    },
  ],
  [
    'content, its event and a record',
    async (store, told) => {
      await put(store, 'three', told)
      await append(store, 51, told)
      await raise(store, told)
    },
  ],
  [
    'records that move on to a new generation',
    async (store, told) => {
      for (let n = 0; n < 7; n++) await raise(store, told)
    },
  ],
  [
    'a scavenge and an append',
    async (store, told) => {
      await store.log.scavenge(({ stream }) => stream === 'drop')
      await append(store, 53, told)
    },
  ],
]

/** A store with something of everything in it. */
async function prepare(): Promise<{ disk: MemoryDisk; told: Told }> {
  const disk = new MemoryDisk()
  const store = await open(disk.disk)
  const told: Told = { texts: new Set(), events: new Map(), record: { acknowledged: 0, sent: 0 } }
  await put(store, 'zero', told)
  await raise(store, told)
  for (let n = 0; n < 10; n++) await append(store, n, told)
  await store.close()
  return { disk, told }
}

const copyOf = (told: Told): Told => ({
  texts: new Set(told.texts),
  events: new Map(told.events),
  record: { ...told.record },
})

const copyOfDisk = (disk: MemoryDisk) => new MemoryDisk(disk.image(), disk.folderPaths())

async function textOf(store: FileStore, hash: ContentHash): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  for await (const chunk of (await store.content.read(hash)) ?? []) chunks.push(chunk)
  return chunks.length === 0 ? undefined : Buffer.concat(chunks).toString()
}

/** Everything that was acknowledged is there, and everything that is there is whole. */
async function findLosses(store: FileStore, told: Told): Promise<string[]> {
  const found: string[] = []
  for (const text of told.texts) {
    if ((await textOf(store, sha256Hex(text) as ContentHash)) !== text) {
      found.push(`content is gone: ${text.slice(0, 9)}`)
    }
  }
  const hashes: string[] = []
  for await (const events of store.log.readLog(0, 1000, 'forwards')) {
    for (const { hash } of events) hashes.push(hash)
  }
  for (const [position, hash] of told.events) {
    if (hashes[position] !== hash) found.push(`the event at ${position} is gone`)
  }
  const record = await store.records.read('counter', 'k')
  const { count: value = 0 } = (record?.value ?? {}) as { readonly count?: number }
  const { acknowledged, sent } = told.record
  if (value < acknowledged || value > sent)
    found.push(`the record is ${value}, not ${acknowledged} to ${sent}`)
  for (const { kind, message } of (await store.log.verify()).findings) {
    if (kind === 'damage') found.push(message)
  }
  for (const { kind, message } of (await store.content.verify()).findings) {
    // What an upload that ended early has left is completed by the next one, or swept later.
    if (kind === 'damage') found.push(message)
  }
  return found
}

/** The work without power from a change on; true where it got through before. */
async function runOn(power: PowerDisk, offAt: number, work: Work, told: Told): Promise<boolean> {
  try {
    const store = await open(power.disk)
    power.offAt = power.changes + offAt
    await work(store, told)
    return true
  } catch {
    return false
  }
}

const someLoss = (random: Random): Loss =>
  random() < 0.1 ? 'loses all' : random() < 0.1 ? 'keeps all' : 'as chance will have it'

test('power that goes takes no content, no record and no event that was acknowledged', async () => {
  const run = crashRun()
  const base = await prepare()
  const bad: string[] = []
  let states = 0
  for (const [what, work] of WORKS) {
    for (let offAt = 0, isOver = false; !isOver; offAt++) {
      const told = copyOf(base.told)
      const power = new PowerDisk(copyOfDisk(base.disk))
      isOver = await runOn(power, offAt, work, told)
      for (let n = 0; n < Math.max(1, Math.min(scaled(2), 50)); n++) {
        const loss = n === 0 ? 'loses all' : someLoss(run.random)
        const where = `${what}, power gone before change ${offAt}, ${loss}`
        states++
        try {
          const after = await open(power.afterLoss(loss, run.random).disk)
          const then = copyOf(told)
          for (const problem of await findLosses(after, then)) bad.push(`${where}: ${problem}`)
          // The same work again, on what the loss has left.
          await work(after, then).catch((error: unknown) => bad.push(`${where}, again: ${error}`))
          for (const problem of await findLosses(after, then))
            bad.push(`${where}, then: ${problem}`)
        } catch (error) {
          bad.push(`${where}: ${(error as Error).stack}`)
        }
      }
    }
  }
  count('states after a loss of power', states)
  tell(`${states} states of content, records and scavenged files`)
  expect(bad.slice(0, 20)).toEqual([])
})

/** Appends until the power goes before a change of the disk; notes what was answered. */
async function appendUntil(
  power: PowerDisk,
  offAt: number,
  boot: string,
  ids: readonly number[],
  history: History,
): Promise<boolean> {
  try {
    const { log } = await openLog(ROOT, { ...TURNS, boot, disk: power.disk })
    power.offAt = power.changes + offAt
    for (const n of ids) {
      const { events } = await log.append(appendTo('s', [draft(n)]))
      for (const { position, hash } of events) {
        history.stored.push({ id: draft(n).eventId, position, hash })
      }
    }
    return true
  } catch {
    return false
  }
}

const TURNS = { segmentBytes: 1500, lock: 'no-lock' } as const

test('power that goes again while the first append behind a loss is made takes nothing either', async () => {
  const { random } = crashRun()
  const base = new MemoryDisk()
  const { log } = await openLog(ROOT, { ...TURNS, boot: 'one', disk: base.disk })
  const before: History = { stored: [], refused: new Set() }
  for (let n = 0; n < 4; n++) {
    const { events } = await log.append(appendTo('s', [draft(n)]))
    for (const { position, hash } of events) {
      before.stored.push({ id: draft(n).eventId, position, hash })
    }
  }
  await log.close()
  const bad: string[] = []
  let states = 0
  while (states < scaled(1500)) {
    const first: History = { ...before, stored: [...before.stored] }
    const power = new PowerDisk(copyOfDisk(base))
    const offAt = Math.floor(random() * 25)
    await appendUntil(power, offAt, 'one', [10, 11], first)
    const left = power.afterLoss(someLoss(random), random)
    for (let again = 0, isOver = false; !isOver; again++) {
      const history: History = { ...first, stored: [...first.stored] }
      const second = new PowerDisk(copyOfDisk(left))
      isOver = await appendUntil(second, again, 'two', [20], history)
      const after = second.afterLoss(someLoss(random), random)
      const where = `power gone before change ${offAt}, then before ${again}`
      states++
      try {
        const third = await openLog(ROOT, { ...TURNS, boot: 'three', disk: after.disk })
        // Whoever appends next builds anew what the loss took of the index; then all is well.
        await third.log.append(appendTo('s', [draft(30)]))
        for (const problem of await findViolations(third, history)) bad.push(`${where}: ${problem}`)
      } catch (error) {
        bad.push(`${where}: ${error}`)
      }
    }
  }
  count('states after a second loss of power', states)
  tell(`${states} states after a second loss`)
  expect(bad.slice(0, 20)).toEqual([])
})
