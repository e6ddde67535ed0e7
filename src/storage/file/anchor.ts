/** Whether the last line that an index knows stands in the log as it was written. */
import type { Disk } from './disk.ts'
import type { Entry } from './entry.ts'
import { type LogPoint, NOWHERE, readLine } from './log-line.ts'
import type { Segment } from './segment.ts'

/** Largest line that is compared, bytes; garbage in an index must not ask for more. */
const MOST_LINE = 1 << 26
const LF = 10

/**
 * @param anchor where the index ends
 * @param entry what it says of the last event before that
 * @param opened the file that the event is in
 */
export async function isAnchored(
  disk: Disk,
  anchor: LogPoint,
  { lineOffset, offset, length }: Entry,
  opened: Segment,
): Promise<boolean> {
  const line = await lastLine(disk, opened, lineOffset, offset + length)
  const meaning = readLine(line ?? Buffer.alloc(0), lineOffset, NOWHERE)
  return (
    meaning.kind === 'damage' &&
    meaning.hash === anchor.hash &&
    meaning.position + meaning.events.length === anchor.count
  )
}

/** The line from `start` to `end`; `undefined` where no line feed follows. */
async function lastLine(
  disk: Disk,
  opened: Segment,
  start: number,
  end: number,
): Promise<Buffer | undefined> {
  if (opened.isScavenged) return opened.lineAt(start)
  const line = Buffer.alloc(Math.max(0, Math.min(end + 1 - start, MOST_LINE)))
  const filled = await opened.using(() => disk.readMuch(opened.fd, line, start))
  return filled === line.length && line.at(-1) === LF ? line.subarray(0, -1) : undefined
}
