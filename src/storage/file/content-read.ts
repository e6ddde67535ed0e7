/** Hands out the bytes of a blob in pieces. */
import { AppError } from '../../domain/app-error.ts'
import type { ByteRange, ContentHash, ContentInfo } from '../../domain/ports.ts'
import { startSha256 } from '../../kit/sha256.ts'
import { type BlobFiles, damagedContent } from './content-files.ts'
import type { Disk, Fd } from './disk.ts'

export const CHUNK_BYTES = 256 * 1024

const DAMAGED = 'The stored bytes of this content are damaged'

/**
 * The bytes of `range`. A piece is valid until the next one is asked for, for its memory is used again. Where the
 * range is all of them they are hashed on the way, and the last piece is kept back until the digest is known to be right:
 * no reader takes damaged bytes for whole. The file is opened at the first piece and closed at the end, also when the
 * reader stops early.
 * @throws AppError `content-damaged`; `content-not-found` where it was removed since it was found
 */
export async function* readBlob(
  disk: Disk,
  files: BlobFiles,
  info: ContentInfo,
  range: ByteRange,
): AsyncGenerator<Uint8Array> {
  const fd = disk.openRead(files.blob)
  if (fd === undefined) {
    throw new AppError('content-not-found', 'There is no such content', { hash: info.hash })
  }
  try {
    if (disk.size(fd) !== info.size) throw damagedContent(info.hash, DAMAGED)
    yield* range.start === 0 && range.end === info.size - 1
      ? checkedPieces(disk, fd, info)
      : pieces(disk, fd, info, range)
  } finally {
    disk.close(fd)
  }
}

/**
 * All bytes of a blob. One of a single piece is read and hashed at once, while an answer can still be an error: of a body
 * that is cut not every web server lets its client know.
 * @throws AppError as `readBlob`
 */
export async function readWholeBlob(
  disk: Disk,
  files: BlobFiles,
  info: ContentInfo,
): Promise<AsyncIterable<Uint8Array>> {
  const pieces = readBlob(disk, files, info, { start: 0, end: info.size - 1 })
  if (info.size > CHUNK_BYTES) return pieces
  const { value } = await pieces.next()
  await pieces.return(undefined)
  return onePiece(value ?? Buffer.alloc(0))
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes
}

/** Whether the bytes of an open file have the hash; each piece of `buffer` that was read is told to `each`. */
export async function hasHash(
  disk: Disk,
  fd: Fd,
  hash: ContentHash,
  buffer: Uint8Array,
  each: (count: number) => void = () => {},
): Promise<boolean> {
  const sha256 = startSha256()
  for (let at = 0; ; ) {
    const count = await disk.readMuch(fd, buffer, at)
    if (count === 0) return sha256.digest('hex') === hash
    sha256.update(buffer.subarray(0, count))
    at += count
    each(count)
  }
}

async function* checkedPieces(disk: Disk, fd: Fd, info: ContentInfo): AsyncGenerator<Uint8Array> {
  const sha256 = startSha256()
  let left = info.size
  // Nothing is a blob as well, but has no last piece to keep back.
  if (left === 0 && sha256.digest('hex') !== info.hash) throw damagedContent(info.hash, DAMAGED)
  for await (const piece of pieces(disk, fd, info, { start: 0, end: info.size - 1 })) {
    sha256.update(piece)
    left -= piece.length
    if (left === 0 && sha256.digest('hex') !== info.hash) throw damagedContent(info.hash, DAMAGED)
    yield piece
  }
}

async function* pieces(
  disk: Disk,
  fd: Fd,
  info: ContentInfo,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array> {
  // Two in turn, because fresh memory for each piece is freed so late that it adds up to 80 MB.
  const size = Math.max(0, Math.min(CHUNK_BYTES, end + 1 - start))
  let buffer = Buffer.allocUnsafeSlow(size)
  let other = Buffer.allocUnsafeSlow(size)
  for (let at = start; at <= end; at += size) {
    const piece = buffer.subarray(0, end + 1 - at)
    buffer = other
    other = piece
    if ((await disk.readMuch(fd, piece, at)) < piece.length) {
      throw damagedContent(info.hash, DAMAGED)
    }
    yield piece
  }
}
