/**
 * Blobs in chunks of fixed size.
 *
 * 1. A row of `apie_upload`; 2. chunks, each a commit of its own, so that a slow upload holds nothing;
 * 3. when all bytes are there, one transaction makes the blob of them, or lets them go where it is there
 * already. A crash before that leaves chunks that nobody sees; the next upload a day later removes them. What is
 * there and damaged is replaced: whoever uploads again may do so for that.
 */
import { AppError } from '../../domain/app-error.ts'
import type {
  ByteRange,
  Clock,
  ContentEngine,
  ContentHash,
  ContentInfo,
  Finding,
  Progress,
} from '../../domain/ports.ts'
import { damagedContent, isDamaged, readProven } from '../../domain/proven-content.ts'
import { startSha256 } from '../../kit/sha256.ts'
import { damageOfContent } from '../database/findings.ts'
import { ChunkSizer } from './chunk-sizer.ts'
import type { Connection, Row, Statement } from './connection.ts'

const CHUNK_BYTES = 256 * 1024
const PAGE = 500

const COLUMNS = 'hash, size, created_at_ms, names, upload'
const SWEEP: Statement = {
  name: 'sweep-uploads',
  text: `WITH gone AS (
      DELETE FROM apie_upload WHERE NOT is_finished AND touched_at < now() - interval '1 day' RETURNING id)
    DELETE FROM apie_chunk USING gone WHERE upload = gone.id`,
}
const BEGIN: Statement = {
  name: 'begin-upload',
  text: 'INSERT INTO apie_upload DEFAULT VALUES RETURNING id',
}
const CHUNK: Statement = {
  name: 'put-chunk',
  text: `WITH touched AS (UPDATE apie_upload SET touched_at = now() WHERE id = $1::bigint RETURNING id)
    INSERT INTO apie_chunk SELECT id, $2::bigint, $3::bytea FROM touched RETURNING number`,
}
const FINISH: Statement = {
  name: 'finish-upload',
  text: `WITH made AS (
      INSERT INTO apie_content (hash, upload, size, created_at_ms, names)
      SELECT $1::bytea, id, $3::bigint, $4::bigint, $5::text FROM apie_upload WHERE id = $2::bigint
      ON CONFLICT (hash) DO NOTHING RETURNING upload)
    UPDATE apie_upload SET is_finished = true FROM made WHERE id = made.upload RETURNING id`,
}
/** In the place of those that were found damaged, unless another upload was quicker. */
const REPLACE: Statement = {
  name: 'replace-content',
  text: `WITH replaced AS (
      UPDATE apie_content SET upload = $2::bigint, size = $3::bigint
      WHERE hash = $1::bytea AND upload = $4::bigint
        AND EXISTS (SELECT FROM apie_upload WHERE id = $2::bigint) RETURNING upload),
      finished AS (UPDATE apie_upload SET is_finished = true FROM replaced WHERE id = replaced.upload),
      gone AS (DELETE FROM apie_upload USING replaced WHERE id = $4::bigint),
      chunks AS (DELETE FROM apie_chunk USING replaced WHERE apie_chunk.upload = $4::bigint)
    SELECT upload FROM replaced`,
}
const DROP: Statement = {
  name: 'drop-upload',
  text: `WITH gone AS (DELETE FROM apie_upload WHERE id = $1::bigint AND NOT is_finished RETURNING id)
    DELETE FROM apie_chunk USING gone WHERE upload = gone.id`,
}
const INFO: Statement = {
  name: 'content-info',
  text: `SELECT ${COLUMNS} FROM apie_content WHERE hash = $1::bytea ORDER BY hash`,
}
const READ: Statement = {
  name: 'read-chunk',
  text: `SELECT bytes FROM apie_chunk WHERE upload = $1::bigint AND number = $2::bigint ORDER BY number`,
}
const REMOVE: Statement = {
  name: 'remove-content',
  text: `WITH gone AS (DELETE FROM apie_content WHERE hash = $1::bytea RETURNING upload),
      uploads AS (DELETE FROM apie_upload USING gone WHERE id = gone.upload),
      chunks AS (DELETE FROM apie_chunk USING gone WHERE apie_chunk.upload = gone.upload)
    SELECT upload FROM gone`,
}
const LIST: Statement = {
  name: 'list-content',
  text: `SELECT ${COLUMNS} FROM apie_content WHERE upload > $1::bigint ORDER BY upload LIMIT $2::bigint`,
}
const COUNT: Statement = {
  name: 'count-content',
  text: 'SELECT count(*) AS count FROM apie_content ORDER BY count',
}

export class PostgresContent implements ContentEngine {
  private readonly connection: Connection
  private readonly clock: Clock

  constructor(connection: Connection, clock: Clock) {
    this.connection = connection
    this.clock = clock
  }

  async put(
    bytes: AsyncIterable<Uint8Array>,
    about: Parameters<ContentEngine['put']>[1],
  ): Promise<ContentInfo> {
    const { change } = this.connection
    await change(SWEEP)
    const [begun] = await change(BEGIN)
    const upload = Number(begun?.['id'])
    try {
      const { hash, size } = await this.takeChunks(upload, bytes)
      const { filename, mediaType, createdAtMs = this.clock.now() } = about
      const key = Buffer.from(hash, 'hex')
      const names = JSON.stringify({ filename, mediaType })
      const [made] = await change(FINISH, [key, upload, size, createdAtMs, names])
      if (made) return { hash, size, filename, mediaType, createdAtMs }
      const there = await this.find(hash)
      if (there && (await isDamaged(this, hash))) {
        await change(REPLACE, [key, upload, size, Number(there['upload'])])
      }
      await change(DROP, [upload])
      const known = await this.info(hash)
      if (known) return known
      throw new AppError('storage-unavailable', 'The content was removed while it was sent again')
    } catch (error) {
      // What cannot be removed now is swept later.
      await change(DROP, [upload]).catch(() => undefined)
      throw error
    }
  }

  async info(hash: ContentHash): Promise<ContentInfo | undefined> {
    const row = await this.find(hash)
    return row && toInfo(row)
  }

  async read(hash: ContentHash, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    const row = await this.find(hash)
    if (!row) return undefined
    const upload = Number(row['upload'])
    return readProven(toInfo(row), range, (wanted) => this.chunks(hash, upload, wanted))
  }

  async remove(hash: ContentHash): Promise<boolean> {
    const rows = await this.connection.change(REMOVE, [Buffer.from(hash, 'hex')])
    return rows.length > 0
  }

  async *list(): AsyncGenerator<ContentInfo> {
    for (let behind = -1; ; ) {
      const rows = await this.connection.read(LIST, [behind, PAGE])
      for (const row of rows) yield toInfo(row)
      if (rows.length < PAGE) return
      behind = Number(rows.at(-1)?.['upload'])
    }
  }

  async verify(progress: Progress = () => {}) {
    const [counted] = await this.connection.read(COUNT)
    const total = Number(counted?.['count'])
    const findings: Finding[] = []
    let contents = 0
    let contentBytes = 0
    for await (const { hash, size } of this.list()) {
      if (await isDamaged(this, hash)) findings.push(damageOfContent(hash))
      contentBytes += size
      progress(++contents, total)
    }
    return { counts: { contents, contentBytes }, findings }
  }

  private async find(hash: ContentHash): Promise<Row | undefined> {
    const [row] = await this.connection.read(INFO, [Buffer.from(hash, 'hex')])
    return row
  }

  private async takeChunks(upload: number, bytes: AsyncIterable<Uint8Array>) {
    const sha256 = startSha256()
    let size = 0
    let number = 0
    const sizer = new ChunkSizer(CHUNK_BYTES)
    const store = async (chunk: Buffer) => {
      const stored = await this.connection.change(CHUNK, [upload, number++, chunk])
      if (stored.length > 0) return
      throw new AppError('storage-unavailable', 'The upload took so long that it was given up')
    }
    for await (const piece of bytes) {
      sha256.update(piece)
      size += piece.length
      for (const chunk of sizer.take(piece)) await store(chunk)
    }
    const rest = sizer.rest()
    if (rest.length > 0) await store(rest)
    return { hash: sha256.digest('hex') as ContentHash, size }
  }

  private async *chunks(
    hash: ContentHash,
    upload: number,
    { start, end }: ByteRange,
  ): AsyncGenerator<Uint8Array> {
    for (let at = start; at <= end; ) {
      const number = Math.floor(at / CHUNK_BYTES)
      const [row] = await this.connection.read(READ, [upload, number])
      const first = number * CHUNK_BYTES
      const bytes = (row?.['bytes'] as Buffer | undefined)?.subarray(at - first, end + 1 - first)
      if (!bytes || bytes.length === 0) {
        throw damagedContent(hash, 'A part of the content is missing or was just removed')
      }
      yield bytes
      at += bytes.length
    }
  }
}

function toInfo(row: Row): ContentInfo {
  const { filename, mediaType } = JSON.parse(String(row['names']))
  return {
    hash: (row['hash'] as Buffer).toString('hex') as ContentHash,
    size: Number(row['size']),
    filename,
    mediaType,
    createdAtMs: Number(row['created_at_ms']),
  }
}
