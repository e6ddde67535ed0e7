/**
 * The content store on flat files: the engine's functions, each on few lines. Storing is `content-put.ts`,
 * handing out `content-read.ts`, checking `content-verify.ts`, the files themselves `content-files.ts`.
 */
import { join } from 'node:path'
import type { ByteRange, ContentEngine, ContentHash, ContentInfo } from '../../domain/ports.ts'
import { damagedContent, readProven } from '../../domain/proven-content.ts'
import { blobFiles, type ContentPlace, findInfo } from './content-files.ts'
import { readBlob } from './content-read.ts'

export function createFileContent(place: ContentPlace): ContentEngine {
  const { disk, layout } = place
  return {
    async put(bytes, names) {
      const { putContent } = await import('./content-put.ts')
      return putContent(place, bytes, names)
    },
    info: async (hash) => findInfo(disk, layout, hash),
    read: (hash, range) => openBlob(place, hash, range),
    remove: (hash) => removeContent(place, hash),
    list: () => listContent(place),
    async verify(progress) {
      const { verifyContent } = await import('./content-verify.ts')
      return verifyContent(place, progress)
    },
  }
}

async function openBlob(
  { disk, layout }: ContentPlace,
  hash: ContentHash,
  range?: ByteRange,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const info = findInfo(disk, layout, hash)
  if (!info) return undefined
  const files = blobFiles(layout, hash)
  // Said before the first byte is sent, where an answer can still be an error.
  if (disk.status(files.blob)?.size !== info.size) throw damagedContent(hash)
  return readProven(info, range, (wanted) => readBlob(disk, files, info, wanted))
}

/**
 * 1. `.json` removed: the blob is gone; a crash leaves invisible bytes; 2. bytes removed; 3. `.json` removed
 * again, for an upload that took the bytes for stored just before they went; 4. folder synced.
 */
async function removeContent({ disk, layout }: ContentPlace, hash: ContentHash): Promise<boolean> {
  const files = blobFiles(layout, hash)
  const wasThere = disk.unlink(files.about)
  disk.unlink(files.blob)
  disk.unlink(files.about)
  if (wasThere) await disk.syncFolder(files.folder)
  return wasThere
}

async function* listContent({ disk, layout }: ContentPlace): AsyncGenerator<ContentInfo> {
  for (const folder of disk.list(layout.content) ?? []) {
    for (const name of disk.list(join(layout.content, folder)) ?? []) {
      const hash = /^([0-9a-f]{64})\.json$/.exec(name)?.[1] as ContentHash | undefined
      const info = hash && findInfo(disk, layout, hash)
      if (info) yield info
    }
  }
}
