/** Content is hashed on its way out of an engine: no reader takes damaged bytes for what was stored. */
import { startSha256 } from '../kit/sha256.ts'
import { AppError } from './app-error.ts'
import type { ByteRange, ContentEngine, ContentHash, ContentInfo } from './ports.ts'

/** Content up to this size is read and hashed before its first piece is handed out, in bytes. */
export const AT_ONCE_BYTES = 256 * 1024

type Pieces = AsyncIterable<Uint8Array>
type Known = Pick<ContentInfo, 'hash' | 'size'>

/**
 * The bytes of `range`, all of them where it is missing. Where that is all they are proven; a part of them cannot be.
 * @param read the pieces of a range that lies within the content, none of them empty; those of `AT_ONCE_BYTES` have
 * to stay valid together
 */
export async function readProven(
  info: Known,
  range: ByteRange | undefined,
  read: (range: ByteRange) => Pieces,
): Promise<Pieces> {
  const last = info.size - 1
  const { start, end } = range ?? { start: 0, end: last }
  const pieces = read({ start, end: Math.min(end, last) })
  return start === 0 && end >= last ? provenContent(info, pieces) : pieces
}

/**
 * Small content is read at once, while an answer can still be an error: of a body that is cut not every web
 * server lets its client know. Of more the last piece is kept back until the digest is known to be right.
 * @throws AppError `content-damaged`, in the place of the last piece where there are more bytes
 */
async function provenContent(info: Known, pieces: Pieces): Promise<Pieces> {
  const proven = provenPieces(info, pieces)
  if (info.size > AT_ONCE_BYTES) return proven
  const all: Uint8Array[] = []
  for await (const piece of proven) all.push(piece)
  return each(all)
}

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces
}

async function* provenPieces({ hash, size }: Known, pieces: Pieces): AsyncGenerator<Uint8Array> {
  const sha256 = startSha256()
  let left = size
  // Nothing is content as well, but has no last piece to keep back.
  if (size === 0 && sha256.digest('hex') !== hash) throw damagedContent(hash)
  for await (const piece of pieces) {
    left -= piece.length
    if (left < 0) throw damagedContent(hash)
    sha256.update(piece)
    if (left === 0 && sha256.digest('hex') !== hash) throw damagedContent(hash)
    yield piece
  }
  if (left > 0) throw damagedContent(hash)
}

/** Whether content can be read as it was stored; what is not there any more is not damaged. */
export async function isDamaged(
  content: Pick<ContentEngine, 'info' | 'read'>,
  hash: ContentHash,
): Promise<boolean> {
  try {
    for await (const _ of (await content.read(hash)) ?? []);
    return false
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'content-damaged') throw error
    return (await content.info(hash)) !== undefined
  }
}

export function damagedContent(
  hash: ContentHash,
  message = 'The stored bytes of this content are damaged',
): AppError {
  return new AppError('content-damaged', message, { hash })
}
