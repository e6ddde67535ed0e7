/**
 * Makes the next hash table of an index file before it is needed, piece by piece: keys are spread all over
 * a table, so that a new one would have nearly all of its blocks allocated by the first sync, and the log's own
 * syncs wait for that.
 *
 * Only the end of the file is written to (`O_APPEND`), with zeros, which is what stands there before anything
 * does: whatever others write meanwhile stays.
 */
import type { Disk } from './disk.ts'

/** Bytes written at most in one go. */
const PIECE = 512 << 10
/** Bytes that have to be free: what is made ahead must not take the room of events. */
const SPARE = 256 << 20

/** @param size bytes that the file should have by now */
export function makeAhead(disk: Disk, path: string, size: number): void {
  const fd = disk.openAppend(path)
  if (fd === undefined) return
  try {
    const missing = Math.min(size - disk.size(fd), PIECE)
    if (missing > 0 && disk.free(path).bytes > SPARE) disk.appendOnce(fd, Buffer.alloc(missing))
  } finally {
    disk.close(fd)
  }
}
