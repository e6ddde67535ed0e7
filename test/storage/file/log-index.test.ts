/** An index of more sequences than are kept in memory, and one that several write at once. */
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { EventHash } from '../../../src/domain/event.ts'
import { sequencesOf, streamsSequence, typeSequence } from '../../../src/domain/sequence.ts'
import { sha256Hex } from '../../../src/kit/sha256.ts'
import { syncDisk } from '../../../src/storage/file/disk.ts'
import { GENESIS } from '../../../src/storage/file/head-file.ts'
import { IndexFiles } from '../../../src/storage/file/index-files.ts'
import { LogIndex } from '../../../src/storage/file/log-index.ts'
import type { IndexedEvent } from '../../../src/storage/file/pending-events.ts'
import { scratchFolders } from '../../support/data-folder.ts'
import { uuid } from '../../support/drafts.ts'

const newFolder = scratchFolders()
const STORE = '0123456789abcdef0123456789abcdef'

/** Numbers that look like chance and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function eventAt(position: number, stream: string, eventType: string): IndexedEvent {
  const hash = sha256Hex(String(position)) as EventHash
  const place = { segment: 1, offset: position * 100, length: 90, lineOffset: position * 100 }
  return {
    ...place,
    createdAtMs: 0,
    hash,
    stream,
    eventType,
    eventId: uuid(position),
    isOwned: false,
  }
}

function newIndex(): LogIndex {
  return new LogIndex(STORE, sequencesOf, GENESIS, undefined)
}

/** Writes what is pending as if the log were synced so far. */
function flush(index: LogIndex, files: IndexFiles): void {
  index.flush(files, { ...GENESIS, count: index.count, sequences: index.sequenceCount }, 0)
}

test('numbers are right of more streams than are kept, also of events that are taken back', () => {
  const next = numbers(1)
  const files = IndexFiles.make(syncDisk, join(newFolder(), '0123456789abcdef'))
  const index = newIndex()
  const streams: string[] = []
  const types: string[] = []
  const versions = new Map<string, number>()
  const count = (map: Map<string, number>, key: string, by: number) =>
    map.set(key, (map.get(key) ?? -1) + by)
  while (streams.length < 15_000) {
    const events = Array.from({ length: 1 + next(60) }, (_, at) => {
      // Some are written to all the time, most hardly ever.
      const stream = next(3) === 0 ? `often-${next(50)}` : `seldom-${next(15_000)}`
      return eventAt(streams.length + at, stream, `type-${next(12)}`)
    })
    index.add(events)
    const takenBack = next(5) === 0 ? next(events.length + 1) : 0
    index.dropLast(takenBack)
    for (const { stream, eventType } of events.slice(0, events.length - takenBack)) {
      streams.push(stream)
      types.push(eventType)
      count(versions, stream, 1)
    }
    if (next(4) === 0) flush(index, files)
    const end = streams.length
    const asked = next(2) === 0 ? `seldom-${next(15_000)}` : (streams[next(end)] ?? '')
    expect(index.lastVersion(asked, end)).toBe(versions.get(asked) ?? -1)
    if (next(20) > 0) continue
    const below = next(end)
    const stream = streams[below] ?? ''
    const before = streams.slice(0, below).filter((other) => other === stream).length
    expect(index.lastVersion(stream, below)).toBe(before - 1)
  }
  const end = streams.length
  expect(index.sequenceHead(streamsSequence, end)?.number).toBe(versions.size - 1)
  for (let type = 0; type < 12; type++) {
    const last = types.lastIndexOf(`type-${type}`)
    const number = types.filter((other) => other === `type-${type}`).length - 1
    expect(index.sequenceHead(typeSequence(`type-${type}`), end)).toEqual({
      number,
      position: last,
    })
  }
  flush(index, files)
  const again = new LogIndex(STORE, sequencesOf, index.persisted, files)
  for (const [stream, version] of versions) {
    expect(again.lastVersion(stream, end)).toBe(version)
  }
  files.close()
})

test('a stream is found again once its type was forgotten, and is not forgotten while it is pending', () => {
  const files = IndexFiles.make(syncDisk, join(newFolder(), '0123456789abcdef'))
  const index = newIndex()
  let position = 0
  const add = (stream: string, type: string) => index.add([eventAt(position++, stream, type)])
  add('kept', 'rare')
  add('kept', 'rare')
  flush(index, files)
  add('pending', 'x')
  add('pending', 'x')
  for (let n = 0; n < 60_000; n++) {
    // Each is asked for in vain, and takes the place of another.
    index.lastVersion(`none-${n}`, position)
    if (n % 1000 === 0) expect(index.lastVersion('kept', position)).toBe(1)
  }
  add('pending', 'x')
  add('kept', 'rare')
  expect(index.lastVersion('pending', position)).toBe(2)
  expect(index.lastVersion('kept', position)).toBe(2)
  expect(index.sequenceHead(typeSequence('rare'), position)).toEqual({ number: 2, position: 5 })
  expect(index.sequenceHead(typeSequence('x'), position)).toEqual({ number: 2, position: 4 })
  files.close()
})

test('an id that many streams have is found in each of them, and where no other event has it', () => {
  const files = IndexFiles.make(syncDisk, join(newFolder(), '0123456789abcdef'))
  const index = newIndex()
  const streamOf = (position: number) => `s-${position}`
  const often = uuid(1000)
  for (let position = 0; position < 200; position++) {
    const event = eventAt(position, streamOf(position), 'x')
    index.add([position % 2 === 0 ? { ...event, eventId: often } : event])
    if (position % 30 === 29) flush(index, files)
  }
  for (let position = 0; position < 200; position++) {
    const found = index.findEventId(streamOf(position), often, 200)
    expect(found.includes(position)).toBe(position % 2 === 0)
    const own = position % 2 === 0 ? often : uuid(position)
    expect(index.findEventId(streamOf(position), own, position)).not.toContain(position)
    expect(index.findEventIdAnywhere(own, 200).length).toBeGreaterThan(0)
  }
  files.close()
})

const NAMES = ['entries', 'links', 'hashes', 'ids', 'repeats']

test('who writes behind another overwrites nothing, however many events go at once', () => {
  const next = numbers(2)
  const streamOf = (n: number): string => (n % 3 === 0 ? `b-${next(400)}` : `a-${n % 70}`)
  const events = Array.from({ length: 4500 }, (_, n) => eventAt(n, streamOf(n), `t${next(4)}`))
  const folder = join(newFolder(), '0123456789abcdef')
  const whole = newIndex()
  const ahead = IndexFiles.make(syncDisk, folder)
  for (const event of events) {
    whole.add([event])
    flush(whole, ahead)
  }
  const image = () => NAMES.map((name) => fs.readFileSync(join(folder, name)).toString('latin1'))
  const complete = image()
  for (const most of [1, 30, 700, 3000]) {
    const files = IndexFiles.make(syncDisk, folder)
    const behind = newIndex()
    for (let at = 0; at < events.length - 100; ) {
      const some = events.slice(at, at + 1 + next(most))
      behind.add(some)
      flush(behind, files)
      at += some.length
    }
    files.close()
    expect(image().map((bytes, at) => bytes === complete[at])).toEqual(NAMES.map(() => true))
  }
  ahead.close()
})

test('many links that stand close together are written with few calls', () => {
  let writes = 0
  const disk = {
    ...syncDisk,
    writeAt: (fd: number, bytes: Uint8Array, position: number) => {
      writes++
      syncDisk.writeAt(fd, bytes, position)
    },
  }
  const folder = join(newFolder(), '0123456789abcdef')
  const files = IndexFiles.make(disk, folder)
  const index = newIndex()
  const round = (n: number) =>
    Array.from({ length: 500 }, (_, at) => eventAt(n * 500 + at, `s-${at}`, 'x'))
  index.add(round(0))
  flush(index, files)
  index.add(round(1))
  flush(index, files)
  writes = 0
  index.add(round(2))
  flush(index, files)
  const keys = 2 * 500
  // The entries, the links of the 500 before, of these among themselves, and the hints of sequences.
  expect(writes - keys).toBeLessThan(510)
  files.close()
})
