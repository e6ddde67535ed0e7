/**
 * Copies the records of one log into the next one, in slices, while both are in use.
 *
 * The walk goes along the old log from its beginning. At the first event of each record it copies the value
 * that the record has now, so that the order of the keys stays; behind the place where the log ended when the
 * walk began (`changedFrom`) it copies whatever was changed. How far it came is the last event of the
 * stream `$progress` in the new log, in the same commit as what it copied: a slice is there whole or not at
 * all, and of two processes that copy at the same time one finds that the other was there.
 */
import { type EventHash, parseStoredEvent } from '../../domain/event.ts'
import type { LogHead } from '../../domain/ports.ts'
import { streamSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { monotonicMs } from '../../kit/monotonic.ts'
import type { FileLog } from './file-log.ts'
import type { StreamDraft } from './log-move.ts'
import { bodyAt, PROGRESS, type Revision, recordDraft, revisionOf } from './record-body.ts'

/** Most text of records in one slice, characters. */
const SLICE_CHARS = 1 << 20
/** Most records in one slice: they are written and indexed behind the time that the walk may take. */
const SLICE_RECORDS = 500

type Progress = {
  /** Events of the old log that are dealt with, and the hash of the last of them. */
  readonly upTo: number
  readonly hash: EventHash
  readonly changedFrom: number
}

/** What one walk has picked. */
type Slice = { readonly drafts: StreamDraft[]; readonly upTo: number; readonly hash: EventHash }

/**
 * Copies for about `ms` milliseconds.
 * @returns the head of the old log where the new one has everything up to it
 */
export async function copySlice(
  from: FileLog,
  to: FileLog,
  ms: number,
): Promise<LogHead | undefined> {
  const head = await to.head()
  const progress = await readProgress(to)
  const end = await from.head()
  if (progress?.upTo === end.count && progress.hash === end.hash) return end
  const changedFrom = progress?.changedFrom ?? end.count
  const slice = await pick({ from, to, at: progress?.upTo ?? 0, end, changedFrom }, ms)
  const noted: Progress = { upTo: slice.upTo, hash: slice.hash, changedFrom }
  const note = { stream: PROGRESS as StreamName, draft: recordDraft(PROGRESS, { value: noted }) }
  const isStored = await to.appendTogether(head, [...slice.drafts, note])
  return isStored && slice.upTo === end.count ? end : undefined
}

/** Whether `to` has all records of `from`, which has ended. */
export async function isCopied(from: FileLog, to: FileLog): Promise<boolean> {
  const progress = await readProgress(to)
  const end = await from.head()
  return progress?.upTo === end.count && progress.hash === end.hash
}

/** Whether `to` is the beginning of a copy of another log, such as one that a backup brought back. */
export async function isForeign(from: FileLog, to: FileLog): Promise<boolean> {
  const progress = await readProgress(to)
  if (!progress || progress.upTo === 0) return false
  return (await from.read(progress.upTo - 1))?.hash !== progress.hash
}

async function readProgress(to: FileLog): Promise<Progress | undefined> {
  const found = await readLast(to, PROGRESS as StreamName, PROGRESS)
  return found?.record.value as Progress | undefined
}

async function readLast(
  log: FileLog,
  stream: StreamName,
  collection: string,
): Promise<(Revision & { readonly position: number }) | undefined> {
  const head = await log.sequenceHead(streamSequence(stream))
  const stored = head && (await log.read(head.position))
  if (!head || !stored) return undefined
  return { ...revisionOf(stored, collection, head.number), position: head.position }
}

async function pick(
  walk: { from: FileLog; to: FileLog; at: number; end: LogHead; changedFrom: number },
  ms: number,
): Promise<Slice> {
  const { from, to, at, end, changedFrom } = walk
  const deadline = monotonicMs() + ms
  const drafts: StreamDraft[] = []
  const picked = new Set<StreamName>()
  let chars = 0
  let upTo = at
  let hash = end.hash
  for await (const run of from.readLog(at, end.count, 'forwards')) {
    for (const stored of run) {
      if (
        chars > SLICE_CHARS ||
        drafts.length >= SLICE_RECORDS ||
        (upTo > at && monotonicMs() > deadline)
      ) {
        return { drafts, upTo, hash }
      }
      upTo = stored.position + 1
      hash = stored.hash
      const event = parseStoredEvent(stored) as ReturnType<typeof parseStoredEvent> & {
        version: number
      }
      const { stream, eventType } = event
      const isFirst = event.version === 0
      if (stream === PROGRESS || picked.has(stream)) continue
      if (!isFirst && stored.position < changedFrom) continue
      const now = await readLast(from, stream, eventType)
      // What was changed again is met again.
      if (!now || (!isFirst && now.position !== stored.position)) continue
      const there =
        stored.position < changedFrom ? undefined : await readLast(to, stream, eventType)
      if (there ? there.record.revision === now.record.revision : now.isRemoved) continue
      const content = now.isRemoved ? { isRemoved: true as const } : { value: now.record.value }
      const body = bodyAt(content, now.record.revision, (there?.version ?? -1) + 1)
      const draft = recordDraft(eventType, body)
      chars += draft.body.kind === 'json' ? draft.body.text.length : 0
      drafts.push({ stream, draft })
      picked.add(stream)
    }
  }
  return { drafts, upTo, hash }
}
