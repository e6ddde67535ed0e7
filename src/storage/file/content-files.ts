/**
 * The two files of a stored blob, and what counts as stored.
 *
 *     content/<2 hex>/<64 hex>.blob   the bytes
 *     content/<2 hex>/<64 hex>.json   name, media type, size, creation: {"hash":…,"createdAt":…}
 *
 * 1. Both files appear whole, by a link from the folder of temporary files, and are never written again; an upload
 *    of the same bytes that finds one of them damaged puts another in its place by a rename.
 * 2. A blob is there if and only if both files are. An upload links the bytes first and removal takes them
 *    away last, so that what a crash leaves is bytes without their `.json`: invisible, and completed by
 *    the next upload of the same bytes.
 * 3. No lock is held. The links decide between uploads; `content-put.ts` and `content.ts` say how an upload
 *    and a removal that meet end in one of the two outcomes.
 */
import { join } from 'node:path'
import type { Clock, ContentHash, ContentInfo } from '../../domain/ports.ts'
import { damagedContent } from '../../domain/proven-content.ts'
import type { Disk } from './disk.ts'
import type { Layout } from './layout.ts'
import { readWhole } from './read-whole.ts'

/** Where the content store stands, and with what it works. */
export type ContentPlace = { readonly disk: Disk; readonly layout: Layout; readonly clock: Clock }

export type BlobFiles = { readonly folder: string; readonly blob: string; readonly about: string }

export function blobFiles(layout: Layout, hash: ContentHash): BlobFiles {
  const folder = join(layout.content, hash.slice(0, 2))
  return { folder, blob: join(folder, `${hash}.blob`), about: join(folder, `${hash}.json`) }
}

/** The text of a `.json` file. */
export function aboutText(info: ContentInfo): string {
  const { hash, filename, mediaType, size, createdAtMs } = info
  const createdAt = new Date(createdAtMs).toISOString()
  return `${JSON.stringify({ hash, filename, mediaType, size, createdAt })}\n`
}

/**
 * What is known of a blob, or `undefined` where it is not there.
 * @throws AppError `content-damaged` where its `.json` cannot be understood
 */
export function findInfo(disk: Disk, layout: Layout, hash: ContentHash): ContentInfo | undefined {
  const files = blobFiles(layout, hash)
  const info = readAbout(disk, files, hash)
  return info && disk.status(files.blob) ? info : undefined
}

/** The `.json` alone. @throws AppError `content-damaged` */
export function readAbout(
  disk: Disk,
  files: BlobFiles,
  hash: ContentHash,
): ContentInfo | undefined {
  const text = readWhole(disk, files.about)?.toString('utf8')
  if (text === undefined) return undefined
  const info = parseAbout(text)
  if (info?.hash !== hash) throw damagedContent(hash, 'What is known of this content is damaged')
  return info
}

function parseAbout(text: string): ContentInfo | undefined {
  try {
    const { hash, filename, mediaType, size, createdAt } = JSON.parse(text)
    const createdAtMs = Date.parse(createdAt)
    if (typeof filename !== 'string' || typeof mediaType !== 'string') return undefined
    if (!Number.isSafeInteger(size) || Number.isNaN(createdAtMs)) return undefined
    return { hash, size, filename, mediaType, createdAtMs }
  } catch {
    return undefined
  }
}
