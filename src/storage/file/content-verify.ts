/** Looks at every file of the content store and hashes every blob again. Changes nothing. */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { ContentHash, Finding, Progress, VerifyReport } from '../../domain/ports.ts'
import { type BlobFiles, blobFiles, type ContentPlace, readAbout } from './content-files.ts'
import { CHUNK_BYTES, hasHash } from './content-read.ts'
import { abandonedFiles } from './temporary-files.ts'

/** How long an upload may take between its first byte in place and its last, in milliseconds. */
const GRACE_MS = 3_600_000

export async function verifyContent(
  place: ContentPlace,
  progress?: Progress,
): Promise<VerifyReport> {
  const check = new ContentCheck(place, progress)
  await check.everyFolder()
  check.temporaryFiles()
  return { counts: check.counts, findings: check.findings }
}

class ContentCheck {
  readonly findings: Finding[] = []
  readonly counts = { contents: 0, contentBytes: 0 }
  private readonly place: ContentPlace
  private readonly progress: Progress | undefined
  private readonly buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  private totalBytes = 0

  constructor(place: ContentPlace, progress: Progress | undefined) {
    this.place = place
    this.progress = progress
  }

  async everyFolder(): Promise<void> {
    const { disk, layout } = this.place
    const { kind = 'folder' } = disk.status(layout.content) ?? {}
    if (kind !== 'folder') this.report('damage', 'The content store is not a folder')
    const names = kind === 'folder' ? (disk.list(layout.content) ?? []) : []
    const folders = names.filter((name) => this.isFanOut(name))
    this.totalBytes = this.progress ? this.sizeOf(folders) : 0
    for (const folder of folders) await this.folder(folder)
  }

  temporaryFiles(): void {
    const { disk, layout, clock } = this.place
    const { length } = abandonedFiles(disk, layout.temporary, clock)
    if (length === 0) return
    const files = length === 1 ? 'file' : 'files'
    this.report('repairable', `${length} temporary ${files} left by an upload that ended early`)
  }

  private isFanOut(name: string): boolean {
    const { disk, layout } = this.place
    const path = join(layout.content, name)
    const status = disk.status(path)
    if (!/^[0-9a-f]{2}$/.test(name) || status?.kind !== 'folder') {
      this.report('notice', 'A file in the content store does not belong there')
      return false
    }
    this.mode(status.mode, `Folder ${name} of the content store`, '700')
    return true
  }

  private sizeOf(folders: readonly string[]): number {
    const { disk, layout } = this.place
    const sizes = folders.flatMap((folder) =>
      (disk.list(join(layout.content, folder)) ?? [])
        .filter((name) => name.endsWith('.blob'))
        .map((name) => disk.status(join(layout.content, folder, name))?.size ?? 0),
    )
    return sizes.reduce((sum, size) => sum + size, 0)
  }

  private async folder(folder: string): Promise<void> {
    const { disk, layout } = this.place
    const hashes = new Set<ContentHash>()
    for (const name of disk.list(join(layout.content, folder)) ?? []) {
      const hash = /^([0-9a-f]{64})\.(?:blob|json)$/.exec(name)?.[1]
      if (hash?.startsWith(folder)) hashes.add(hash as ContentHash)
      else this.report('notice', `A file in folder ${folder} does not belong there`)
    }
    for (const hash of hashes) await this.pair(hash)
  }

  /** The two files of one blob. */
  private async pair(hash: ContentHash): Promise<void> {
    const { disk, layout } = this.place
    const files = blobFiles(layout, hash)
    const size = this.statedSize(files, hash)
    const status = disk.status(files.blob)
    if (size === 'absent') {
      // Told only where an upload has not completed them since.
      if (status && !disk.status(files.about)) this.bare(status.modifiedMs, hash)
    } else if (!status) {
      // Gone together since the folder was listed: a removal.
      if (disk.status(files.about)) this.report('damage', 'The bytes are missing', hash)
    } else if (status.kind !== 'file') {
      this.report('damage', 'The bytes are not a file', hash)
    } else {
      this.mode(status.mode, 'A blob', '600', hash)
      await this.bytes(files, hash, size)
    }
  }

  /** Bytes alone. Nobody sees them, and whether they ever had a description cannot be told. */
  private bare(modifiedMs: number, hash: ContentHash): void {
    const what = 'Bytes without a description'
    const isOld = modifiedMs <= this.place.clock.now() - GRACE_MS
    if (isOld) this.report('repairable', `${what}, left by an upload or a removal`, hash)
    else this.report('notice', `${what}, of an upload or a removal that may still go on`, hash)
  }

  private statedSize(files: BlobFiles, hash: ContentHash): number | 'absent' | 'unknown' {
    const { disk } = this.place
    try {
      const status = disk.status(files.about)
      if (status?.kind === 'file') this.mode(status.mode, 'A description', '600', hash)
      return readAbout(disk, files, hash)?.size ?? 'absent'
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      this.report('damage', 'The description of the content cannot be read', hash)
      return 'unknown'
    }
  }

  private async bytes(files: BlobFiles, hash: ContentHash, size: number | 'unknown') {
    const { disk } = this.place
    const fd = disk.openRead(files.blob)
    if (fd === undefined) return
    try {
      const before = this.counts.contentBytes
      const isRight = await hasHash(disk, fd, hash, this.buffer, (count) => {
        this.counts.contentBytes += count
        this.progress?.(this.counts.contentBytes, this.totalBytes)
      })
      const found = this.counts.contentBytes - before
      this.counts.contents++
      if (!isRight) this.report('damage', 'The bytes do not have their hash', hash)
      else if (size !== 'unknown' && size !== found)
        this.report('damage', 'The size is wrong', hash)
    } finally {
      disk.close(fd)
    }
  }

  private mode(mode: number, what: string, wanted: '600' | '700', hash?: ContentHash): void {
    if ((mode & 0o077) === 0) return
    const found = (mode & 0o777).toString(8)
    this.report('repairable', `${what} is open to others (mode ${found}, not ${wanted})`, hash)
  }

  private report(kind: Finding['kind'], message: string, hash?: ContentHash): void {
    this.findings.push(hash === undefined ? { kind, message } : { kind, message, hash })
  }
}
