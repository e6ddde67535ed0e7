/**
 * The end of a log as writers meet it: making room for the next lines, and putting them there. Who decides
 * what is written are `appender.ts` and `importer.ts`; why a line counts is `log-line.ts`.
 *
 * Only inside `exclusive` of the follower.
 */
import { AppError } from '../../domain/app-error.ts'
import type { LogFollower } from './log-follower.ts'
import { sealLine } from './log-line.ts'
import type { IndexedEvent } from './pending-events.ts'
import { Segment } from './segment.ts'
import { outcomeUnknown } from './suspicion.ts'

/** Ends the rest of a killed write so that it can never count, whatever was missing from it. */
const VOID_MARK = '~\n'
/** Bytes that stay free for the index and for the records of those who clear up. */
const SPARE_BYTES = 1 << 20
const LF = 10
/** For what is read back: memory of its own for each write grows faster than it is collected. */
const scratch = Buffer.allocUnsafeSlow(65_536)

/**
 * Brings the follower to the end and sees to it that there is a file to append to, and one that is not
 * full:
 * 1. a seal is appended as any line is, and may lose its place to another line, or to another's seal
 * 2. the sealed file is synced, so that nothing that follows outlives what was before
 * 3. the next file is made durably; after a crash before this, the next writer finds the seal and makes it
 */
export async function makeRoom(follower: LogFollower): Promise<void> {
  const { options } = follower
  follower.end.wantAppend()
  await follower.catchUp()
  await follower.checkAnchor()
  const { segment, size } = follower.end
  if (!follower.damage && !follower.end.movedTo && segment && size >= options.segmentBytes) {
    await seal(follower)
  }
  while (!follower.segment && !follower.damage) {
    // A copy of the folder may have left empty folders out.
    options.disk.makeFolder(options.layout.temporary)
    const { count, hash, segment: number } = follower.point
    await Segment.make(options.disk, options.layout, {
      number: Math.max(number, 1),
      position: count,
      previous: hash,
      storeId: options.storeId,
    })
    await follower.catchUp()
  }
  if (follower.damage) throw follower.damage
  // Whoever keeps such a log knows where it goes on, and begins again there.
  if (follower.end.movedTo) throw new AppError('storage-unavailable', 'The log has ended')
}

/** Ends the file that the log is in, unless another writer is there first. */
export async function seal(follower: LogFollower): Promise<void> {
  const { options } = follower
  const { segment, size } = follower.end
  if (!segment) return
  const prefix = voidPrefix(follower)
  const line = sealLine(follower.point, size + prefix.length)
  options.disk.appendOnce(segment.fd, Buffer.concat([Buffer.from(prefix), line]))
  await follower.syncs.sync(segment)
  await follower.catchUp()
}

/** What has to stand before the next line: nothing, or the end of somebody's torn line. */
export function voidPrefix({ options, end }: LogFollower): string {
  const { segment, size, voidBytes } = end
  if (!segment || voidBytes === 0) return ''
  const last = Buffer.alloc(1)
  options.disk.readAt(segment.fd, last, size - 1)
  return last[0] === LF ? '' : VOID_MARK
}

/** `whole`: the bytes stand where they should. Else the log itself has to say what counts. */
export type WriteResult = { readonly isWhole: boolean; readonly isShort: boolean }

/**
 * Writes lines at the end of the log and has their events in the index where they came to stand there. The
 * index comes first: it may have to be read, and behind the write nothing may fail that says "not stored".
 * @throws as `writeAtEnd`
 */
export function writeIndexed(
  follower: LogFollower,
  bytes: Buffer,
  events: readonly IndexedEvent[],
): WriteResult {
  const { index } = follower
  index.add(events)
  try {
    const result = writeAtEnd(follower, bytes)
    if (!result.isWhole) index.dropLast(events.length)
    return result
  } catch (error) {
    index.dropLast(events.length)
    throw error
  }
}

/**
 * Writes at the end of the log, in one call, and reads back what stands there.
 * @throws AppError `storage-…` where nothing was written, `outcome-unknown` where it cannot be read back
 */
function writeAtEnd(follower: LogFollower, bytes: Buffer): WriteResult {
  const { disk } = follower.options
  const { segment, size, space } = follower.end
  if (!segment) return { isWhole: false, isShort: false }
  if (!space.has(bytes.length + SPARE_BYTES)) {
    throw new AppError('storage-full', 'There is no space left to store this')
  }
  const isShort = disk.appendOnce(segment.fd, bytes) < bytes.length
  if (isShort) return { isWhole: false, isShort }
  const found =
    bytes.length <= scratch.length
      ? scratch.subarray(0, bytes.length)
      : Buffer.allocUnsafe(bytes.length)
  try {
    const isWhole = disk.readAt(segment.fd, found, size) === bytes.length && found.equals(bytes)
    return { isWhole, isShort }
  } catch (error) {
    throw outcomeUnknown(error)
  }
}
