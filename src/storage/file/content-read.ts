/** Hands out the bytes of a blob in pieces. */
import { AppError } from '../../domain/app-error.ts'
import type { ByteRange, ContentHash, ContentInfo } from '../../domain/ports.ts'
import { AT_ONCE_BYTES, damagedContent } from '../../domain/proven-content.ts'
import { startSha256 } from '../../kit/sha256.ts'
import type { BlobFiles } from './content-files.ts'
import type { Disk, Fd } from './disk.ts'

/** Small content is one piece. */
export const CHUNK_BYTES = AT_ONCE_BYTES

/**
 * The bytes of `range`. A piece is valid until the next one but one is asked for, for its memory is used again. The file
 * is opened at the first piece and closed at the end, also when the reader stops early.
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
    if (disk.size(fd) !== info.size) throw damagedContent(info.hash)
    yield* pieces(disk, fd, info, range)
  } finally {
    disk.close(fd)
  }
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
      throw damagedContent(info.hash)
    }
    yield piece
  }
}
