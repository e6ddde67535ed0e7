/**
 * Blobs as files of GridFS.
 *
 * 1. A document of `apie_upload` names the file that is about to be written; 2. GridFS takes its bytes in
 * chunks; 3. when all are there, a document of `apie_content` with the hash as `_id` makes a blob of the
 * file, or the file is removed where the blob is there already. A crash before that leaves a file that nobody
 * sees; a later upload removes it when it is a day old. What is there and damaged is replaced: whoever uploads again
 * may do so for that.
 */
import {
  type GridFSBucketReadStream,
  MongoGridFSChunkError,
  MongoRuntimeError,
  ObjectId,
} from 'mongodb'
import { AppError } from '../../domain/app-error.ts'
import type {
  ByteRange,
  Clock,
  ContentAbout,
  ContentEngine,
  ContentHash,
  ContentInfo,
  Finding,
  Progress,
} from '../../domain/ports.ts'
import { damagedContent, isDamaged, readProven } from '../../domain/proven-content.ts'
import { startSha256 } from '../../kit/sha256.ts'
import { damageOfContent } from '../database/findings.ts'
import type { Connection } from './connection.ts'
import type { ContentDocument } from './documents.ts'
import { isDuplicate, toAppError } from './errors.ts'

const PAGE = 500
const DAY_MS = 86_400_000

export class MongoContent implements ContentEngine {
  private readonly connection: Connection
  private readonly clock: Clock

  constructor(connection: Connection, clock: Clock) {
    this.connection = connection
    this.clock = clock
  }

  async put(bytes: AsyncIterable<Uint8Array>, about: ContentAbout): Promise<ContentInfo> {
    await this.sweep()
    const file = await this.beginUpload()
    try {
      const { hash, size } = await this.takeBytes(file, bytes)
      const { filename, mediaType, createdAtMs = this.clock.now() } = about
      const content = { _id: hash, file, size, filename, mediaType, createdAtMs }
      if (await this.publish(content)) return toInfo(content)
      const there = await this.find(hash)
      const isReplaced =
        there && (await isDamaged(this, hash)) && (await this.replace(there.file, content))
      if (!isReplaced) await this.drop(file)
      const known = await this.info(hash)
      if (known) return known
      throw new AppError('storage-unavailable', 'The content was removed while it was sent again')
    } catch (error) {
      const { code } = error instanceof AppError ? error : { code: undefined }
      // What may be a blob is left to a later upload, and so is what cannot be removed now.
      if (code !== 'outcome-unknown') await this.drop(file).catch(() => undefined)
      throw error
    }
  }

  async info(hash: ContentHash): Promise<ContentInfo | undefined> {
    const found = await this.find(hash)
    return found && toInfo(found)
  }

  async read(hash: ContentHash, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    const found = await this.find(hash)
    if (!found) return undefined
    return readProven(toInfo(found), range, (wanted) => this.bytesOf(hash, found.file, wanted))
  }

  async remove(hash: ContentHash): Promise<boolean> {
    const found = await this.find(hash)
    if (!found) return false
    const { file } = found
    await this.note(file)
    const { deletedCount } = await this.connection.change(({ contents }) =>
      contents.deleteOne({ _id: hash, file }),
    )
    if (deletedCount > 0) await this.drop(file)
    return deletedCount > 0
  }

  async *list(): AsyncGenerator<ContentInfo> {
    for (let behind = ''; ; ) {
      const filter = { _id: { $gt: behind } }
      const found = await this.connection.read(({ contents }) =>
        contents.find(filter, { sort: { _id: 1 }, limit: PAGE }).toArray(),
      )
      yield* found.map(toInfo)
      if (found.length < PAGE) return
      behind = found.at(-1)?._id ?? behind
    }
  }

  async verify(progress: Progress = () => {}) {
    const total = await this.connection.read(({ contents }) => contents.countDocuments())
    const findings: Finding[] = []
    let contents = 0
    for await (const { hash } of this.list()) {
      if (await isDamaged(this, hash)) findings.push(damageOfContent(hash))
      progress(++contents, total)
    }
    return { counts: { contents }, findings }
  }

  private async find(hash: ContentHash): Promise<ContentDocument | undefined> {
    const found = await this.connection.read(({ contents }) => contents.findOne({ _id: hash }))
    return found ?? undefined
  }

  private async beginUpload(): Promise<ObjectId> {
    const file = new ObjectId()
    await this.note(file)
    return file
  }

  /** Takes note of a file that is about to belong to nothing. */
  private async note(file: ObjectId): Promise<void> {
    const change = { $set: { startedAt: new Date() } }
    await this.connection.change(({ uploads }) =>
      uploads.updateOne({ _id: file }, change, { upsert: true }),
    )
  }

  private async takeBytes(file: ObjectId, bytes: AsyncIterable<Uint8Array>) {
    const sha256 = startSha256()
    let size = 0
    const upload = this.connection.bucket.openUploadStreamWithId(file, 'content')
    // Shows as the failure of the next write.
    let failure: unknown
    upload.on('error', (error) => {
      failure = error
    })
    const done = (step: (settle: (error?: Error | null) => void) => void) =>
      new Promise<void>((resolve, reject) => {
        step((error) => (error ? reject(toAppError(error)) : resolve()))
      })
    try {
      for await (const piece of bytes) {
        if (failure) throw toAppError(failure)
        sha256.update(piece)
        size += piece.length
        await done((settle) => upload.write(Buffer.from(piece), settle))
      }
    } catch (error) {
      await upload.abort().catch(() => undefined)
      throw error
    }
    await done((settle) => {
      upload.once('error', settle)
      upload.end(() => settle(upload.errored))
    })
    return { hash: sha256.digest('hex') as ContentHash, size }
  }

  /** False: the blob is there already. */
  private async publish(content: ContentDocument): Promise<boolean> {
    const isNew = await this.connection.change(async ({ contents }) => {
      try {
        await contents.insertOne(content)
        return true
      } catch (error) {
        if (isDuplicate(error)) return false
        throw error
      }
    })
    if (isNew) await this.keep(content)
    return isNew
  }

  /** Puts a file in the place of another. False: that one is no longer the blob's. */
  private async replace(old: ObjectId, content: ContentDocument): Promise<boolean> {
    const { _id, file, size } = content
    await this.note(old)
    const { matchedCount } = await this.connection.change(({ contents }) =>
      contents.updateOne({ _id, file: old }, { $set: { file, size } }),
    )
    if (matchedCount === 0) return false
    await this.keep(content)
    await this.drop(old)
    return true
  }

  /** The file of a blob is not swept any more. */
  private async keep({ _id, file }: ContentDocument): Promise<void> {
    const { deletedCount } = await this.connection.change(({ uploads }) =>
      uploads.deleteOne({ _id: file }),
    )
    if (deletedCount > 0) return
    await this.connection.change(({ contents }) => contents.deleteOne({ _id, file }))
    throw new AppError('storage-unavailable', 'The upload took so long that it was given up')
  }

  /** Removes a file that belongs to nothing. */
  private async drop(file: ObjectId): Promise<void> {
    await this.connection.change(async ({ uploads }) => {
      try {
        await this.connection.bucket.delete(file)
      } catch (error) {
        // Its chunks are gone even where it had not come to be a file.
        if (!(error instanceof MongoRuntimeError)) throw error
      }
      await uploads.deleteOne({ _id: file })
    })
  }

  private async sweep(): Promise<void> {
    const filter = { startedAt: { $lt: new Date(Date.now() - DAY_MS) } }
    for (;;) {
      const old = await this.connection.change(({ uploads }) => uploads.findOneAndDelete(filter))
      if (!old) return
      const owner = await this.connection.read(({ contents }) =>
        contents.findOne({ file: old._id }, { projection: { _id: 1 } }),
      )
      if (!owner) await this.drop(old._id)
    }
  }

  private async *bytesOf(
    hash: ContentHash,
    file: ObjectId,
    { start, end }: ByteRange,
  ): AsyncGenerator<Uint8Array> {
    if (end < start) return
    let left = end + 1 - start
    const download: GridFSBucketReadStream = this.connection.bucket.openDownloadStream(file, {
      start,
      end: end + 1,
    })
    try {
      for await (const chunk of download) {
        left -= chunk.length
        yield chunk
      }
    } catch (error) {
      const isMissing = error instanceof MongoGridFSChunkError || error instanceof MongoRuntimeError
      throw isMissing ? missing(hash) : toAppError(error)
    } finally {
      download.destroy()
    }
    if (left > 0) throw missing(hash)
  }
}

const missing = (hash: ContentHash): AppError =>
  damagedContent(hash, 'A part of the content is missing or was just removed')

const toInfo = ({ _id, size, filename, mediaType, createdAtMs }: ContentDocument): ContentInfo => ({
  hash: _id as ContentHash,
  size,
  filename,
  mediaType,
  createdAtMs,
})
