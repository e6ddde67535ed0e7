/** Hands out the bytes of a blob in pieces. */
import { AppError } from '../../domain/app-error.ts'
import type { ByteRange, ContentInfo } from '../../domain/ports.ts'
import { startSha256 } from '../../kit/sha256.ts'
import { type BlobFiles, damagedContent } from './content-files.ts'
import type { Disk, Fd } from './disk.ts'

export const CHUNK_BYTES = 256 * 1024

const DAMAGED = 'The stored bytes of this content are damaged'

/**
 * The bytes of `range`, or all of them. A piece is valid until the next one is asked for, for its memory is
 * used again. Where all of them are read they are hashed on the way, and the last piece is kept back until the digest is known to be right: no reader takes damaged bytes for
 * whole. The file is opened at the first piece and closed at the end, also when the reader stops early.
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
