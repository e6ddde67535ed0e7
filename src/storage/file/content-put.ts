/** Takes a stream of bytes into the content store. What the files mean is `content-files.ts`. */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { ContentAbout, ContentHash, ContentInfo } from '../../domain/ports.ts'
import { randomHex } from '../../kit/random.ts'
import { startSha256 } from '../../kit/sha256.ts'
import {
  aboutText,
  type BlobFiles,
  blobFiles,
  type ContentPlace,
  readAbout,
} from './content-files.ts'
import { CHUNK_BYTES, hasHash } from './content-read.ts'
import type { Disk, Fd } from './disk.ts'
import { discard, writeTemporary } from './durable-write.ts'
import { sweepTemporary } from './temporary-files.ts'

/** Small pieces are gathered up to this many bytes before they are written. */
const GATHER_BYTES = 256 * 1024
/** An upload leaves this much of the disk to the log. */
const RESERVE_BYTES = 16 * 1024 * 1024
const RESERVE_INODES = 16
/** How many bytes are written between two looks at the free space. */
const LOOK_EVERY_BYTES = 16 * 1024 * 1024

/**
 * 1. bytes into a temporary file, hashed on the way, synced; 2. the same with the `.json`: what needs space
 * is now on disk, and a crash so far leaves temporary files only; 3. bytes linked into place; a crash here
 * leaves them without `.json`, invisible; 4. folder synced, or a loss of power could leave a `.json` without
 * bytes; 5. `.json` linked: the blob is there; 6. folders synced, also where another upload made the links and
 * may not have come that far; 7. temporary names removed.
 *
 * What is there already stays, once it was read and found right: whoever uploads again may do so because it is damaged. What is
 * wrong of it is replaced by a rename in the place of the link of 3 or 5; a crash leaves the old or the new file.
 */
export async function putContent(
  place: ContentPlace,
  bytes: AsyncIterable<Uint8Array>,
  { filename, mediaType, createdAtMs = place.clock.now() }: ContentAbout,
): Promise<ContentInfo> {
  const { disk, layout, clock } = place
  // A copy of a data folder may lack the folders that were empty.
  for (const folder of [layout.temporary, layout.content]) {
    if (!disk.status(folder)) disk.makeFolder(folder)
  }
  sweepTemporary(disk, layout.temporary, clock)
  const upload = new Upload(disk, layout.root)
  const blob = await writeTemporary(disk, layout.temporary, (fd) => upload.receive(fd, bytes))
  try {
    const info = { ...upload.digest(), filename, mediaType, createdAtMs }
    const text = Buffer.from(aboutText(info))
    const about = await writeTemporary(disk, layout.temporary, (fd) => disk.writeMuch(fd, text))
    try {
      return await publish(place, info, { blob, about })
    } finally {
      discard(disk, about)
    }
  } finally {
    discard(disk, blob)
  }
}

class Upload {
  private readonly disk: Disk
  private readonly root: string
  private readonly sha256 = startSha256()
  private readonly gathered = Buffer.allocUnsafe(GATHER_BYTES)
  private filled = 0
  private size = 0
  private lookAt = 0

  constructor(disk: Disk, root: string) {
    this.disk = disk
    this.root = root
  }

  async receive(fd: Fd, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of bytes) {
      // What was gathered comes before a piece that is written by itself.
      const isLarge = chunk.length >= GATHER_BYTES / 2
      if (isLarge || this.filled + chunk.length > GATHER_BYTES) await this.flush(fd)
      if (isLarge) {
        await this.write(fd, chunk)
      } else {
        this.gathered.set(chunk, this.filled)
        this.filled += chunk.length
      }
    }
    await this.flush(fd)
  }

  /** Once, after everything was received. */
  digest(): { hash: ContentHash; size: number } {
    return { hash: this.sha256.digest('hex') as ContentHash, size: this.size }
  }

  private async flush(fd: Fd): Promise<void> {
    const { filled } = this
    this.filled = 0
    await this.write(fd, this.gathered.subarray(0, filled))
  }

  private async write(fd: Fd, bytes: Uint8Array): Promise<void> {
    if (this.size >= this.lookAt) this.refuseFull()
    // Where the disk works in the background, it writes while this thread hashes.
    const written = this.disk.writeMuch(fd, bytes)
    this.sha256.update(bytes)
    this.size += bytes.length
    await written
  }

  private refuseFull(): void {
    this.lookAt = this.size + LOOK_EVERY_BYTES
    const free = this.disk.free(this.root)
    if (free.bytes >= RESERVE_BYTES + LOOK_EVERY_BYTES && free.inodes >= RESERVE_INODES) return
    throw new AppError('storage-full', 'There is no space left to store this', {
      freeBytes: free.bytes,
    })
  }
}

type Temporary = { readonly blob: string; readonly about: string }

async function publish(
  place: ContentPlace,
  info: ContentInfo,
  from: Temporary,
): Promise<ContentInfo> {
  const { disk, layout } = place
  const to = blobFiles(layout, info.hash)
  if (!disk.makeFolder(to.folder) && disk.status(to.folder)?.kind !== 'folder') {
    throw new AppError('storage-unavailable', 'A folder of the content store is not a folder')
  }
  let known: ContentInfo | undefined
  do {
    await placeBlob(place, from.blob, to, info)
    if (disk.status(to.about) === undefined) await disk.syncFolder(to.folder)
    known = await placeAbout(place, from.about, to, info)
    // A removal may have taken the bytes that were found above: then this upload brings them back.
  } while (disk.status(to.blob) === undefined)
  await disk.syncFolder(to.folder)
  await disk.syncFolder(layout.content)
  return known
}

/** Links the bytes into place. Anything there that is not these bytes is damage, and replaced whole. */
async function placeBlob(
  place: ContentPlace,
  from: string,
  to: BlobFiles,
  info: ContentInfo,
): Promise<void> {
  const { disk } = place
  if (disk.link(from, to.blob)) return
  const status = disk.status(to.blob)
  if (status === undefined) return
  const isAlike = status.kind === 'file' && status.size === info.size
  if (!isAlike || !(await isSound(disk, to, info.hash))) replace(place, from, to.blob)
}

/** Whether the bytes in place have their hash, or were removed meanwhile. Those that cannot be read are not sound. */
async function isSound(disk: Disk, { blob }: BlobFiles, hash: ContentHash): Promise<boolean> {
  try {
    const fd = disk.openRead(blob)
    if (fd === undefined) return true
    try {
      return await hasHash(disk, fd, hash, Buffer.allocUnsafe(CHUNK_BYTES))
    } finally {
      disk.close(fd)
    }
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

/**
 * Links the description into place, unless there is one that holds, and replaces one that is damaged.
 * @returns the one that is there
 */
async function placeAbout(
  place: ContentPlace,
  from: string,
  to: BlobFiles,
  info: ContentInfo,
): Promise<ContentInfo> {
  const { disk } = place
  if (disk.link(from, to.about)) return info
  const known = readOrDamaged(disk, to, info.hash)
  // Removed meanwhile: that comes after this upload.
  if (known === undefined) return info
  if (known !== 'damaged' && known.size === info.size) return known
  await disk.syncFolder(to.folder)
  replace(place, from, to.about)
  return info
}

function readOrDamaged(
  disk: Disk,
  files: BlobFiles,
  hash: ContentHash,
): ContentInfo | 'damaged' | undefined {
  try {
    return readAbout(disk, files, hash)
  } catch (error) {
    if (error instanceof AppError && error.code === 'content-damaged') return 'damaged'
    throw error
  }
}

/** Renamed from a second name, so that the first is still there if what it names is removed again. */
function replace({ disk, layout }: ContentPlace, from: string, to: string): void {
  const second = join(layout.temporary, randomHex(16))
  try {
    disk.link(from, second)
    disk.rename(second, to)
  } finally {
    // Still there where the rename failed, or both were names of one file.
    discard(disk, second)
  }
}
