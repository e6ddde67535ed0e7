/**
 * One file of a log: opening, making, and walking its lines. What a line means is `log-line.ts`.
 *
 * All offsets are those at which the lines were written. In a file that was scavenged they stand elsewhere, and
 * `places.ts` tells where.
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { EventHash } from '../../domain/event.ts'
import type { Disk, Fd } from './disk.ts'
import { publishNew } from './durable-write.ts'
import { type LogLayout, segmentName } from './layout.ts'
import { type LinePiece, linePieces } from './line-pieces.ts'
import { headLine, scavengedHead } from './log-line.ts'
import { Places } from './places.ts'

const LF = 10
/** Bytes read in one go. What is made of lines has to be gone soon: a larger run outlives a young generation. */
const RUN_CHUNK = 128 << 10
/** The same of bytes that are handed on as they are. */
const PIECE_CHUNK = 256 << 10
/** More than any head line has. */
const HEAD_BYTES = 256
/** Where the version stands in a head line, and the one of a scavenged file. */
const MARK_AT = 6
const MARK = 0x32
/** Of a line that the table does not know: no line states it, so it cannot count. */
const NO_PLACE = -1

/** A run of complete lines that were read in one go; `lines` are views into one buffer. */
export type LineRun = readonly { readonly line: Buffer; readonly offset: number }[]

export class Segment {
  readonly number: number
  readonly fd: Fd
  private readonly disk: Disk
  private users = 1
  private isLeft = false
  /** Only of a file that was scavenged. */
  private readonly places: Places | undefined
  private readonly sizeBefore: number

  private constructor(disk: Disk, number: number, fd: Fd) {
    this.disk = disk
    this.number = number
    this.fd = fd
    this.sizeBefore = sizeBefore(disk, fd)
    this.places = this.sizeBefore < 0 ? undefined : Places.open(disk, fd, this.sizeBefore)
  }

  get isScavenged(): boolean {
    return this.places !== undefined
  }

  /** `undefined` where there is no such file. A reader needs no right to write. */
  static open(disk: Disk, layout: LogLayout, number: number, mode: 'read' | 'append') {
    const path = join(layout.segments, segmentName(number))
    const fd = mode === 'append' ? disk.openAppend(path) : disk.openRead(path)
    if (fd === undefined) return undefined
    try {
      return new Segment(disk, number, fd)
    } catch (error) {
      disk.close(fd)
      throw error
    }
  }

  /**
   * Makes the file durably unless another process has made it:
   * 1. head line into a temporary file, synced; 2. link to the final name; 3. folder synced.
   * A crash before 2 leaves a stray temporary file, after 2 a log file with no event in it.
   */
  static async make(
    disk: Disk,
    layout: LogLayout,
    head: { number: number; position: number; previous: EventHash; storeId: string },
  ): Promise<void> {
    const line = headLine(head.number, head.position, head.previous, head.storeId)
    const path = join(layout.segments, segmentName(head.number))
    await publishNew(disk, layout.temporary, path, line)
  }

  /** Nobody takes it up any more; those who use it keep it open until they let go. */
  close(): void {
    if (this.isLeft) return
    this.isLeft = true
    this.letGo()
  }

  /** Keeps the file open while `work` runs, also where it is closed meanwhile. */
  async using<T>(work: () => T | Promise<T>): Promise<T> {
    this.users++
    try {
      return await work()
    } finally {
      this.letGo()
    }
  }

  size(): number {
    return this.places ? this.sizeBefore : this.disk.size(this.fd)
  }

  /** Bytes that the file itself has. */
  fileSize(): number {
    return this.disk.size(this.fd)
  }

  /** Position and previous hash that the head line states. */
  head(): { readonly count: number; readonly hash: EventHash } {
    const bytes = Buffer.alloc(HEAD_BYTES)
    this.disk.readAt(this.fd, bytes, 0)
    const [, , , position, previous] = bytes.toString('latin1').split('\t')
    return { count: Number(position), hash: previous as EventHash }
  }

  /** The line that stood at `offset`, without its line feed; only of a file that was scavenged. */
  async lineAt(offset: number): Promise<Buffer | undefined> {
    const found = this.places?.find(offset)
    if (found?.before !== offset) return undefined
    const line = Buffer.alloc(Math.max(0, found.end - found.now))
    await this.using(() => this.disk.readMuch(this.fd, line, found.now))
    return line.subarray(0, -1)
  }

  /**
   * Checks the head line against what the log before this file says.
   * @returns the offset behind it
   * @throws AppError `log-damaged`, `format-unknown`
   */
  checkHead(position: number, previous: EventHash, storeId: string): number {
    const written = headLine(this.number, position, previous, storeId)
    const expected = this.places ? scavengedHead(written, this.sizeBefore) : written
    const found = Buffer.alloc(expected.length)
    this.disk.readAt(this.fd, found, 0)
    if (found.equals(expected)) return written.length
    const version = /^#apie\t([0-9]+)\t/.exec(found.toString('latin1'))?.[1]
    if (version !== undefined && version !== '1' && version !== '2') {
      throw new AppError('format-unknown', `The log has format ${version}; this program knows 1`)
    }
    throw new AppError(
      'log-damaged',
      `File ${segmentName(this.number)} of the log has a wrong head line`,
      {
        segment: this.number,
      },
    )
  }

  /**
   * The complete lines from `from` on, up to `to`; what follows the last line feed is left out. The bytes
   * of a run are valid until the next run is asked for.
   */
  async *lines(from: number, to: number): AsyncGenerator<LineRun> {
    if (!this.places) {
      yield* this.linesInFile(from, to)
      return
    }
    const first = this.places.find(from)
    if (!first) return
    const places = this.places.from(from)
    for await (const run of this.linesInFile(first.now, this.places.start)) {
      yield run.map(({ line, offset }) => {
        const { value } = places.next()
        return { line, offset: value?.now === offset ? value.before : NO_PLACE }
      })
    }
  }

  private async *linesInFile(from: number, to: number): AsyncGenerator<LineRun> {
    for await (const { bytes, offset } of this.piecesOf(RUN_CHUNK, from, to)) {
      yield splitLines(bytes, offset)
    }
  }

  /** Like `lines`, as bytes that end with a line feed; only of a file that was not scavenged. */
  pieces(from: number, to: number): AsyncGenerator<LinePiece> {
    return this.piecesOf(PIECE_CHUNK, from, to)
  }

  private async *piecesOf(size: number, from: number, to: number): AsyncGenerator<LinePiece> {
    this.users++
    try {
      yield* linePieces((into, at) => this.disk.readMuch(this.fd, into, at), from, to, size)
    } finally {
      this.letGo()
    }
  }

  private letGo(): void {
    this.users--
    if (this.users === 0) this.disk.close(this.fd)
  }
}

/** The size that a scavenged file had before; -1 where it is not one. */
function sizeBefore(disk: Disk, fd: Fd): number {
  const bytes = Buffer.alloc(HEAD_BYTES)
  const filled = disk.readAt(fd, bytes, 0)
  if (bytes[MARK_AT] !== MARK) return -1
  const found = /^#apie\t2\t(?:[^\t\n]+\t){4}([0-9]{1,15})\n/.exec(
    bytes.toString('latin1', 0, filled),
  )
  return found ? Number(found[1]) : -1
}

export function splitLines(bytes: Buffer, offset: number): { line: Buffer; offset: number }[] {
  const run: { line: Buffer; offset: number }[] = []
  let start = 0
  for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
    run.push({ line: bytes.subarray(start, end), offset: offset + start })
    start = end + 1
  }
  return run
}
