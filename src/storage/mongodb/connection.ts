/**
 * The connection to one database: what the URL says, and what happens when it breaks. The driver keeps the
 * pool and finds the server again. What must be durable is acknowledged by a majority, from their journals;
 * what is read has been, too.
 */
import {
  type Collection,
  type Db,
  GridFSBucket,
  MongoClient,
  type MongoClientOptions,
} from 'mongodb'
import { AppError } from '../../domain/app-error.ts'
import { DatabaseFailure } from '../../kit/database-failure.ts'
import type {
  AttemptDocument,
  CommitDocument,
  ContentDocument,
  CounterDocument,
  EventDocument,
  RecordDocument,
  SetupDocument,
  UploadDocument,
} from './documents.ts'
import { badUrl, isLost, isNeverSent, outcomeUnknown, toAppError } from './errors.ts'

export type ConnectionOptions = {
  /** `mongodb://…` or `mongodb+srv://…`; see docs/engines.md */
  readonly url: string
  /** Longest time that an append competes with others, ms. */
  readonly lockTimeoutMs: number
  /** Connections at most, where the URL does not say. */
  readonly connections: number
}

export type Collections = {
  readonly commits: Collection<CommitDocument>
  readonly events: Collection<EventDocument>
  readonly records: Collection<RecordDocument>
  readonly contents: Collection<ContentDocument>
  readonly uploads: Collection<UploadDocument>
  readonly attempts: Collection<AttemptDocument>
  readonly setups: Collection<SetupDocument>
  readonly counters: Collection<CounterDocument>
}

/** What the program asks of a store's collections. */
export type Work<T> = (collections: Collections) => Promise<T>

const DATABASE = 'apie'
/** Longest wait for a connection, and for a server that takes changes, ms. */
const CONNECT_MS = 5000
const CHUNK_BYTES = 255 * 1024
const NO_SUCH_COMMAND = 59

export class Connection {
  readonly bucket: GridFSBucket
  readonly lockTimeoutMs: number
  readonly db: Db
  readonly collections: Collections
  private readonly client: MongoClient
  /** Until it has gone well once. */
  private check: Work<void> | undefined
  private isInSet: boolean | undefined

  /**
   * @param check runs before anything else; while it throws, everything does
   * @throws AppError `bad-setting`
   */
  constructor({ url, lockTimeoutMs, connections }: ConnectionOptions, check?: Work<void>) {
    this.check = check
    this.lockTimeoutMs = lockTimeoutMs
    this.client = clientFor(url, connections)
    this.db = this.client.db(databaseOf(url))
    this.bucket = new GridFSBucket(this.db, {
      bucketName: 'apie_file',
      chunkSizeBytes: CHUNK_BYTES,
    })
    this.collections = {
      commits: this.db.collection('apie_commit'),
      events: this.db.collection('apie_event'),
      records: this.db.collection('apie_record'),
      contents: this.db.collection('apie_content'),
      uploads: this.db.collection('apie_upload'),
      attempts: this.db.collection('apie_attempt'),
      setups: this.db.collection('apie_setup'),
      counters: this.db.collection('apie_counter'),
    }
  }

  /** Connects and checks, where that has not been done. */
  async ready(): Promise<void> {
    await this.bare(async () => undefined)
  }

  /** Something that changes nothing, or may be done twice; done again where the connection breaks. */
  async read<T>(work: Work<T>): Promise<T> {
    try {
      return await this.bare(work)
    } catch (error) {
      if (!isLost(error) || isNeverSent(error)) throw this.failure(error)
    }
    try {
      return await this.bare(work)
    } catch (error) {
      throw this.failure(error)
    }
  }

  /** One command that changes something. @throws AppError `outcome-unknown` */
  async change<T>(work: Work<T>): Promise<T> {
    try {
      return await this.bare(work)
    } catch (error) {
      throw isLost(error) && !isNeverSent(error) ? outcomeUnknown(error) : this.failure(error)
    }
  }

  /** As an `AppError`; a database that is away is named in the cause. */
  failure(error: unknown): AppError {
    const refusal = toAppError(error)
    if (refusal === error || refusal.code !== 'storage-unavailable') return refusal
    const { hosts, srvHost } = this.client.options
    const host = srvHost ?? hosts.map(String).join(' and ')
    const cause = new DatabaseFailure({ host, name: this.db.databaseName }, error)
    return new AppError(refusal.code, refusal.message, refusal.facts, cause)
  }

  /** Like both, with the errors of the driver. */
  async bare<T>(work: Work<T>): Promise<T> {
    const { check } = this
    if (check) {
      await check(this.collections)
      this.check = undefined
    }
    return await work(this.collections)
  }

  /** Whether the server is one of a set of replicas or shards; a single one tells of no changes. */
  async hasChangeStreams(): Promise<boolean> {
    this.isInSet ??= await this.askForSet()
    return this.isInSet
  }

  async close(): Promise<void> {
    await this.client.close()
  }

  private async askForSet(): Promise<boolean> {
    try {
      const { setName, msg } = await this.db.admin().command({ hello: 1 })
      return setName !== undefined || msg === 'isdbgrid'
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === NO_SUCH_COMMAND) return false
      throw error
    }
  }
}

/** Each write is tried once: whoever asks for it knows how to find out what became of it. */
function clientFor(url: string, connections: number): MongoClient {
  const says = (name: string) => new RegExp(`[?&]${name}=`, 'i').test(url)
  const options: MongoClientOptions = {
    appName: 'apie',
    retryWrites: false,
    readPreference: 'primary',
    readConcern: { level: 'majority' },
    writeConcern: { w: 'majority', journal: true },
    promoteBuffers: true,
    ignoreUndefined: true,
    ...(!says('maxPoolSize') && { maxPoolSize: connections }),
    ...(!says('serverSelectionTimeoutMS') && { serverSelectionTimeoutMS: CONNECT_MS }),
    ...(!says('connectTimeoutMS') && { connectTimeoutMS: CONNECT_MS }),
  }
  try {
    return new MongoClient(url, options)
  } catch (error) {
    throw badUrl('cannot be understood', error)
  }
}

/** The path of the URL, or the default name. */
function databaseOf(url: string): string {
  const [, name = ''] = /^[a-z+]+:\/\/[^/?]*\/([^?]*)/.exec(url) ?? []
  try {
    return decodeURIComponent(name) || DATABASE
  } catch {
    throw badUrl('has a wrong name of a database')
  }
}
