/** The content store of the memory engine: the bytes of each blob under their hash. */
import type {
  ByteRange,
  Clock,
  ContentAbout,
  ContentEngine,
  ContentHash,
  ContentInfo,
  Finding,
  Progress,
  VerifyReport,
} from '../../domain/ports.ts'
import { sha256Hex, startSha256 } from '../../kit/sha256.ts'

type Blob = { readonly info: ContentInfo; readonly bytes: Buffer }

/** Largest piece handed out by `read`, in bytes. */
const CHUNK_BYTES = 64 * 1024

export class MemoryContent implements ContentEngine {
  private readonly blobs = new Map<ContentHash, Blob>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  async put(bytes: AsyncIterable<Uint8Array>, about: ContentAbout): Promise<ContentInfo> {
    const sha256 = startSha256()
    const chunks: Buffer[] = []
    for await (const chunk of bytes) {
      sha256.update(chunk)
      // Copied, because whoever reads a socket may use the same buffer again.
      chunks.push(Buffer.from(chunk))
    }
    const hash = sha256.digest('hex') as ContentHash
    const known = this.blobs.get(hash)
    if (known) return known.info
    const all = Buffer.concat(chunks)
    const { filename, mediaType, createdAtMs = this.clock.now() } = about
    const info = { hash, size: all.length, filename, mediaType, createdAtMs }
    this.blobs.set(hash, { info, bytes: all })
    return info
  }

  async info(hash: ContentHash): Promise<ContentInfo | undefined> {
    return this.blobs.get(hash)?.info
  }

  async read(hash: ContentHash, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    const blob = this.blobs.get(hash)
    if (!blob) return undefined
    return chunksOf(range ? blob.bytes.subarray(range.start, range.end + 1) : blob.bytes)
  }

  async remove(hash: ContentHash): Promise<boolean> {
    return this.blobs.delete(hash)
  }

  async *list(): AsyncGenerator<ContentInfo> {
    for (const { info } of [...this.blobs.values()]) yield info
  }

  async verify(progress?: Progress): Promise<VerifyReport> {
    const findings: Finding[] = []
    let done = 0
    for (const [hash, { bytes }] of this.blobs) {
      if (sha256Hex(bytes) !== hash) {
        findings.push({ kind: 'damage', message: 'The bytes have another hash', hash })
      }
      progress?.(++done, this.blobs.size)
    }
    return { counts: { contents: this.blobs.size }, findings }
  }
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    yield Buffer.from(bytes.subarray(at, at + CHUNK_BYTES))
  }
}
