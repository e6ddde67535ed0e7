import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { Entry, LANES } from '../../../src/storage/file/entry.ts'
import { EntryReader } from '../../../src/storage/file/entry-reader.ts'
import { IndexFiles } from '../../../src/storage/file/index-files.ts'
import { scratchFolders } from '../../support/data-folder.ts'
import { uuid } from '../../support/drafts.ts'

const newFolder = scratchFolders()

const ENTRIES = 3000

/** An index in which each entry says where it stands, in every lane. */
function open() {
  let reads = 0
  const disk: Disk = {
    ...syncDisk,
    readAt: (fd, into, position) => {
      reads++
      return syncDisk.readAt(fd, into, position)
    },
  }
  const files = IndexFiles.make(disk, join(newFolder(), '0123456789abcdef'))
  const entries = Array.from({ length: ENTRIES }, (_, position) => {
    const hash = uuid(position).replaceAll('-', '').repeat(2) as never
    const facts = { segment: 1, length: 10, lineOffset: 0, createdAtMs: 0, hash }
    const entry = Entry.of({ ...facts, offset: position })
    for (let lane = 0; lane < LANES; lane++) {
      entry.setLane(lane, position, position - 1, lane)
    }
    return entry
  })
  files.writeEntries(0, Buffer.concat(entries.map(({ bytes }) => bytes)))
  const reader = new EntryReader()
  const expectEntry = (position: number) => {
    expect(reader.entry(files, position).offset).toBe(position)
    if (position > 0) expect(reader.entry(files, position - 1).offset).toBe(position - 1)
  }
  return { files, reader, expectEntry, readsSoFar: () => reads }
}

test.each([1, 2, 7, 50, 128, 129, 500])('entries are right, read down in steps of %i', (step) => {
  const { files, expectEntry } = open()
  for (let position = ENTRIES - 1; position >= 0; position -= step) expectEntry(position)
  files.close()
})

test('entries are right in whatever order they are asked for', () => {
  const { files, expectEntry } = open()
  let position = 1
  for (let times = 0; times < 20_000; times++) {
    // Steps down of several sizes, and jumps, without any chance in it.
    position = (position + ENTRIES - ((times * times) % 97)) % ENTRIES
    expectEntry(position)
    if (times % 31 === 0) position = (position + times * 61) % ENTRIES
  }
  files.close()
})

test('entries that stand close together are read many at a time', () => {
  const { files, expectEntry, readsSoFar } = open()
  for (let number = 0; number < 50; number++) expectEntry(ENTRIES - 1 - number * 50)
  expect(readsSoFar()).toBeLessThan(12)
  files.close()
})

test('an entry that is not there is an error, also where one was read before', () => {
  const { files, reader } = open()
  reader.entry(files, ENTRIES - 1)
  expect(() => reader.entry(files, ENTRIES)).toThrow('has no entry at position')
  expect(() => reader.lane(files, ENTRIES, 0)).toThrow('has no entry at position')
  files.close()
})

test('a lane that was passed is not read again', () => {
  const { files, reader, readsSoFar } = open()
  const lanes = [0, 1, 2, 3, 4]
  for (let times = 0; times < 2; times++) {
    for (const lane of lanes) {
      expect(reader.lane(files, 77, lane)).toEqual({ number: 77, previous: 76, skip: lane })
    }
  }
  expect(readsSoFar()).toBe(lanes.length)
  files.close()
})
