/**
 * Content in the on-disk layout of the original Apie, taken in and given out. It knows of a blob its bytes
 * and one name; the media type is not part of it.
 *
 *     <2 hex>/<64 hex>/<file name>     the bytes; the folders are named by their SHA-256
 *     tmp/                             files not yet in place
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { ContentEngine, ContentHash, ContentInfo } from '../../domain/ports.ts'
import { damagedContent, readProven } from '../../domain/proven-content.ts'
import { readBlob } from './content-read.ts'
import type { Disk } from './disk.ts'
import { discard, writeTemporary } from './durable-write.ts'

/** A blob of a folder. Where there are several names, the first is the one that the original serves. */
type OriginalContent = {
  readonly hash: ContentHash
  readonly filename: string
  /** Bytes. */
  readonly size: number
}

/** The blobs of a folder, in the order of their hashes. Folders of other names are passed over. */
function* listOriginalContent(disk: Disk, folder: string): Generator<OriginalContent> {
  for (const fanOut of disk.list(folder) ?? []) {
    if (!/^[0-9a-f]{2}$/.test(fanOut)) continue
    for (const name of disk.list(join(folder, fanOut)) ?? []) {
      if (!/^[0-9a-f]{64}$/.test(name) || !name.startsWith(fanOut)) continue
      const hash = name as ContentHash
      for (const filename of disk.list(join(folder, fanOut, hash)) ?? []) {
        const status = disk.status(join(folder, fanOut, hash, filename))
        if (status?.kind !== 'file') continue
        yield { hash, filename, size: status.size }
        break
      }
    }
  }
}

export function countOriginalContent(disk: Disk, folder: string): number {
  let count = 0
  for (const _ of listOriginalContent(disk, folder)) count++
  return count
}

/**
 * Takes every blob of a folder into a content store. All of them are hashed before the first is stored, and
 * again while they are stored. Run again after a failure, it passes over those that are there.
 * @param mediaTypeOf media type for a file name
 * @param progress counts each blob twice: when it is checked and when it is stored
 * @throws AppError `import-refused` with fact `hash`
 */
export async function importOriginalContent(
  disk: Disk,
  folder: string,
  content: ContentEngine,
  mediaTypeOf: (filename: string) => string,
  progress: (done: number) => void = () => undefined,
): Promise<{ imported: number; alreadyThere: number }> {
  if (disk.list(folder) === undefined) {
    throw new AppError('import-refused', 'The folder to import is not there')
  }
  let done = 0
  for (const blob of listOriginalContent(disk, folder)) {
    for await (const _ of bytesOf(disk, folder, blob));
    progress(++done)
  }
  const counts = { imported: 0, alreadyThere: 0 }
  for (const blob of listOriginalContent(disk, folder)) {
    if (await content.info(blob.hash)) {
      counts.alreadyThere++
    } else {
      const filename = safeName(blob.filename)
      const names = { filename, mediaType: mediaTypeOf(filename) }
      await content.put(bytesOf(disk, folder, blob), names)
      counts.imported++
    }
    progress(++done)
  }
  return counts
}

/** The bytes of a blob. @throws AppError `import-refused` before the last piece where they are wrong */
async function* bytesOf(
  disk: Disk,
  folder: string,
  { hash, filename, size }: OriginalContent,
): AsyncGenerator<Uint8Array> {
  const own = join(folder, hash.slice(0, 2), hash)
  const files = { folder: own, blob: join(own, filename), about: '' }
  const info: ContentInfo = { hash, size, filename, mediaType: '', createdAtMs: 0 }
  try {
    yield* await readProven(info, undefined, (all) => readBlob(disk, files, info, all))
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'content-damaged') throw error
    throw new AppError(
      'import-refused',
      'The bytes of a blob do not have its hash',
      { hash },
      error,
    )
  }
}

/**
 * Writes every blob of a content store into a folder, which is made where it is missing: each through a
 * temporary file, synced and renamed. A blob that is there already, in its full length, is passed over.
 * @returns the number of blobs written
 */
export async function exportOriginalContent(
  disk: Disk,
  folder: string,
  content: ContentEngine,
): Promise<number> {
  for (const path of [folder, join(folder, 'tmp')]) disk.makeFolder(path)
  let written = 0
  for await (const info of content.list()) {
    if (await exportBlob(disk, folder, content, info)) written++
  }
  await disk.syncFolder(folder)
  return written
}

async function exportBlob(
  disk: Disk,
  folder: string,
  content: ContentEngine,
  info: ContentInfo,
): Promise<boolean> {
  const fanOut = join(folder, info.hash.slice(0, 2))
  const own = join(fanOut, info.hash)
  const path = join(own, safeName(info.filename))
  if (disk.status(path)?.size === info.size) return false
  const chunks = await content.read(info.hash)
  // Removed since it was listed.
  if (!chunks) return false
  const from = await writeTemporary(disk, join(folder, 'tmp'), async (fd) => {
    let size = 0
    for await (const chunk of chunks) {
      await disk.writeMuch(fd, chunk)
      size += chunk.length
    }
    if (size !== info.size) throw damagedContent(info.hash, 'The content ended early')
  })
  for (const path of [fanOut, own]) disk.makeFolder(path)
  try {
    disk.rename(from, path)
  } catch (error) {
    discard(disk, from)
    throw error
  }
  for (const path of [own, fanOut]) await disk.syncFolder(path)
  return true
}

/** A name that is one part of a path and hidden nowhere: the rule for uploads, applied to what is there. */
function safeName(filename: string): string {
  const name = filename.replace(/[\p{Cc}/\\]/gu, '_').replace(/^\.+/, '')
  return name === '' || Buffer.byteLength(name) > 255 ? 'content' : name
}
