/** A log that has come far, without the events that came before: its last line, and an index that knows it. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { EventHash } from '../../src/domain/event.ts'
import { eventText } from '../../src/domain/event.ts'
import { sequencesOf } from '../../src/domain/sequence.ts'
import { parseStreamName } from '../../src/domain/stream-name.ts'
import { syncDisk } from '../../src/storage/file/disk.ts'
import { Entry, laneOf } from '../../src/storage/file/entry.ts'
import { openFolder } from '../../src/storage/file/folder.ts'
import { HeadFile } from '../../src/storage/file/head-file.ts'
import { IndexFiles } from '../../src/storage/file/index-files.ts'
import { IndexKeys } from '../../src/storage/file/index-keys.ts'
import { segmentName } from '../../src/storage/file/layout.ts'
import { commitLine, headLine } from '../../src/storage/file/log-line.ts'
import { draft } from './drafts.ts'

const PREVIOUS = 'a'.repeat(64) as EventHash
const SEGMENT = 2

export type PlantedLog = {
  /** Events that the log has, the one that is really there among them. */
  readonly count: number
  /** Number of that one in its stream, its type and its category. */
  readonly version: number
  /** Where its line stands in the file of the log; nothing but a hole before it. */
  readonly lineOffset?: number
}

/** Plants event `draft(0)` of stream `s-1` as the last one of a log in `root`, for processes of `boot`. */
export async function plantLog(root: string, boot: string, planted: PlantedLog): Promise<void> {
  const clock = { now: () => 0 }
  const folder = await openFolder(syncDisk, root, { create: true, allowUnsafe: false, clock })
  if (!folder) throw new Error('The data folder was not made')
  const { layout, storeId } = { layout: folder.layout.events, storeId: folder.storeId }
  const [stream, position] = [parseStreamName('s-1'), planted.count - 1]
  const event = draft(0)
  const text = Buffer.from(
    eventText(event, {
      stream,
      version: planted.version,
      position,
      createdBy: 'a',
      createdAtMs: 0,
    }),
  )
  const head = headLine(SEGMENT, position, PREVIOUS, storeId)
  const lineOffset = planted.lineOffset ?? head.length
  const { line, hashes } = commitLine(PREVIOUS, lineOffset, position, [text])
  const file = openSync(join(layout.segments, segmentName(SEGMENT)), 'w', 0o600)
  writeSync(file, head, 0, head.length, 0)
  writeSync(file, Buffer.concat([Buffer.from('\n'), line]), 0, line.length + 1, lineOffset - 1)
  closeSync(file)
  const hash = hashes[0] ?? PREVIOUS
  const end = lineOffset + line.length
  const keys = sequencesOf({ stream, eventType: event.eventType, version: 1 })
  const entry = Entry.of({
    segment: SEGMENT,
    offset: end - 1 - text.length,
    length: text.length,
    lineOffset,
    createdAtMs: 0,
    hash,
  })
  entry.sequences = keys.length
  const ofStore = new IndexKeys(storeId)
  const generation = 'a'.repeat(16)
  syncDisk.makeFolder(layout.index)
  const files = IndexFiles.make(syncDisk, join(layout.index, generation))
  for (const [number, key] of keys.entries()) {
    entry.setLane(laneOf(key), planted.version, -1, -1)
    files.sequences.add(ofStore.ofSequence(key), number, position)
  }
  files.writeEntries(position, entry.bytes)
  files.hashes.add(entry.fingerprint, position)
  files.ids.addSome(ofStore.ofId(event.eventId), position)
  files.close()
  const { count } = planted
  const reached = { count, hash, segment: SEGMENT, offset: end, createdAtMs: 0 }
  const point = { ...reached, sequences: keys.length }
  new HeadFile(syncDisk, layout.index, storeId).write({ generation, boot, point, synced: point })
}
