/**
 * The connections to one database: what the URL and the `PG…` variables say, a pool, and what happens when
 * a connection breaks. Every statement goes through here, named, so that it is parsed once a connection;
 * values are parameters, always.
 */
import { type Client, type ClientConfig, Pool, type PoolClient, types } from 'pg'
import { AppError } from '../../domain/app-error.ts'
import { DatabaseFailure, type DatabasePlace } from '../../kit/database-failure.ts'
import { countRows } from './bare-query.ts'
import { isConnectionLost, isSilence, outcomeUnknown, toAppError } from './errors.ts'
import { mistakenParameter } from './parameters.ts'
import { TidyClient } from './tidy-client.ts'

/** A statement that is prepared under a name; `text` is a constant of the program. */
export type Statement = {
  readonly name: string
  readonly text: string
  /** Its rows are counted, and come without their columns; see `bare-query.ts`. */
  readonly isBare?: boolean
  /** It takes as long as it takes. */
  readonly isSlow?: boolean
}

export type Row = Readonly<Record<string, unknown>>

/** Runs one statement; in a transaction or by itself. */
export type Run = (statement: Statement, values?: readonly unknown[]) => Promise<readonly Row[]>

export type ConnectionOptions = {
  /** `postgresql://…`; see docs/engines.md */
  readonly url: string
  /** Longest wait for the lock of the log, ms. */
  readonly lockTimeoutMs: number
  /** Connections at most, where the URL does not say. */
  readonly connections: number
}

const CONNECT_MS = 5000
/**
 * Longest wait for the answer to a statement, ms, and for longer than a lock takes: of a network that drops what it is
 * given, or a machine that has stopped, nothing else tells.
 */
const ANSWER_MS = 30_000
const BEHIND_LOCK_MS = 10_000
/** As long as a timer can wait. */
const FOR_EVER_MS = 2 ** 31 - 1
/**
 * Every query has an index and is to use it: a plan made while a table was small stays as long as the
 * connection does. Planning once is enough then.
 */
const PLANNER =
  '-c enable_seqscan=off -c plan_cache_mode=force_generic_plan -c jit=off -c bytea_output=hex'

const BYTEA = 17
const INT8 = 20

/** Numbers are numbers and bytes are bytes; everything else is as the driver has it. */
const parsers: NonNullable<ClientConfig['types']> = {
  getTypeParser: ((oid: number) => {
    if (oid === INT8) return Number
    if (oid === BYTEA) return (value: string) => Buffer.from(value.slice(2), 'hex')
    return types.getTypeParser(oid, 'text')
  }) as typeof types.getTypeParser,
}

export class Connection {
  private readonly config: ClientConfig
  private readonly pool: Pool
  /** Until it has gone well once. */
  private check: ((run: Run) => Promise<void>) | undefined

  /** @param check runs before the first statement; while it throws, every statement does */
  constructor(
    { url, lockTimeoutMs, connections }: ConnectionOptions,
    check?: (run: Run) => Promise<void>,
  ) {
    this.check = check
    const { connectionString, options, max } = parseUrl(url)
    this.config = {
      connectionString,
      options: `${options} ${PLANNER} -c lock_timeout=${lockTimeoutMs}`.trim(),
      connectionTimeoutMillis: CONNECT_MS,
      keepAlive: true,
      query_timeout: Math.max(ANSWER_MS, lockTimeoutMs + BEHIND_LOCK_MS),
      application_name: 'apie',
      types: parsers,
    }
    const size = { max: max ?? connections, idleTimeoutMillis: 60_000 }
    this.pool = new Pool({ ...this.config, ...size, Client: TidyClient })
    // A connection that breaks while nobody uses it is replaced by the next one that is asked for.
    this.pool.on('error', () => {})
    // One that breaks in the moment between being made and being used would end the process.
    this.pool.on('connect', (client) => client.on('error', () => {}))
  }

  /** Connects and checks, where that has not been done. */
  async ready(): Promise<void> {
    await this.withClient(async () => undefined)
  }

  /** One statement that changes nothing; asked again where its connection turns out to be broken. */
  readonly read: Run = async (statement, values) => {
    try {
      return await this.run(statement, values)
    } catch (error) {
      if (!isConnectionLost(error) || isSilence(error)) throw this.failure(error)
    }
    try {
      return await this.run(statement, values)
    } catch (error) {
      throw this.failure(error)
    }
  }

  /** One statement that is a transaction of its own. @throws AppError `outcome-unknown` */
  readonly change: Run = (statement, values) =>
    this.withClient(async (client) => {
      try {
        return await runOn(client, statement, values)
      } catch (error) {
        throw isConnectionLost(error) ? outcomeUnknown(error) : error
      }
    })

  /**
   * All of `work` or nothing of it; read committed.
   * @throws AppError `outcome-unknown` where the commit got no answer
   */
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.withClient(async (client) => {
      await client.query('BEGIN')
      let result: T
      try {
        result = await work((statement, values) => runOn(client, statement, values))
      } catch (error) {
        // Of a connection that is lost the database takes the transaction back itself.
        if (!isConnectionLost(error)) await client.query('ROLLBACK').catch(() => undefined)
        throw error
      }
      try {
        await client.query('COMMIT')
      } catch (error) {
        throw isConnectionLost(error) ? outcomeUnknown(error) : error
      }
      return result
    })
  }

  /** A connection of its own outside the pool, for what lasts; not yet connected. */
  ownClient(): Client {
    return new TidyClient(this.config)
  }

  async close(): Promise<void> {
    await this.pool.end()
  }

  private run(statement: Statement, values?: readonly unknown[]): Promise<readonly Row[]> {
    return this.withBareClient((client) => runOn(client, statement, values))
  }

  private async withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    try {
      return await this.withBareClient(work)
    } catch (error) {
      throw this.failure(error)
    }
  }

  /** A database that is away is named in the cause. */
  private failure(error: unknown): AppError {
    const refusal = toAppError(error)
    if (refusal === error || refusal.code !== 'storage-unavailable') return refusal
    const cause = new DatabaseFailure(placeOf(this.config), error)
    return new AppError(refusal.code, refusal.message, refusal.facts, cause)
  }

  private async withBareClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect()
    let isUsable = true
    // Breaking while it is in use shows as the failure of its statement.
    const ignore = () => {
      isUsable = false
    }
    client.on('error', ignore)
    try {
      await this.check?.((statement, values) => runOn(client, statement, values))
      this.check = undefined
      return await work(client)
    } catch (error) {
      const isLost = isConnectionLost(error)
      const isUnknown = error instanceof AppError && error.code === 'outcome-unknown'
      if (isLost || isUnknown) isUsable = false
      throw error
    } finally {
      client.off('error', ignore)
      client.release(!isUsable)
    }
  }
}

/** Where the driver goes with the URL and the `PG…` variables. */
function placeOf(config: ClientConfig): DatabasePlace {
  try {
    const { host, port, database } = new TidyClient(config)
    return { host, port, name: database }
  } catch {
    return {}
  }
}

const BARE_ROW: Row = {}

async function runOn(
  client: PoolClient,
  { name, text, isBare, isSlow }: Statement,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  if (isBare) return Array<Row>(await countRows(client, name, text, values)).fill(BARE_ROW)
  const query = { name, text, values: [...values], ...(isSlow && { query_timeout: FOR_EVER_MS }) }
  const { rows } = await client.query<Row>(query)
  return rows
}

const CHECKED = ['allow', 'prefer', 'require', 'verify-ca']
const TAKEN = ['disable', 'no-verify', 'verify-full']

/** A user, and no host behind it: libpq takes that, the standard for URLs does not. */
const HOSTLESS = /^([a-z]+:\/\/[^/?#]*@)(?=[/?#]|$)/

/** As the driver takes it: a path, and the host from the parameter `host` or `PGHOST`. */
function withoutHost(url: URL): string {
  if (url.pathname === '') url.pathname = '/'
  return url.href.replace('@localhost', '@')
}

/** Timers of the runtime take no longer one than that. */
const isTimeout = (text: string) => /^[1-9][0-9]{0,9}$/.test(text) && Number(text) <= FOR_EVER_MS

/** Takes out of the URL what is ours; the driver reads the rest of it, and the `PG…` variables. */
function parseUrl(text: string): {
  readonly connectionString: string
  readonly options: string
  readonly max: number | undefined
} {
  const withHost = text.replace(HOSTLESS, '$1localhost')
  if (!URL.canParse(withHost)) throw badUrl('is no URL')
  const url = new URL(withHost)
  const mistake = mistakenParameter(url.searchParams.keys())
  if (mistake) {
    throw badUrl(`has an unknown parameter "${mistake.given}", the nearest is "${mistake.meant}"`)
  }
  const options = url.searchParams.get('options') ?? ''
  const pool = url.searchParams.get('pool')
  if (pool !== null && !/^[1-9][0-9]{0,3}$/.test(pool)) {
    throw badUrl('has a parameter "pool" that is no number from 1 to 9999')
  }
  // The driver makes 1 ms of what is no time, and every statement ends as if the database were silent.
  if (!url.searchParams.getAll('query_timeout').every(isTimeout)) {
    throw badUrl(`has a parameter "query_timeout" that is no number from 1 to ${FOR_EVER_MS}`)
  }
  const sslmode = url.searchParams.get('sslmode')
  if (sslmode !== null && ![...CHECKED, ...TAKEN].includes(sslmode)) {
    throw badUrl(`has an unknown sslmode; there are ${[...TAKEN, ...CHECKED].join(', ')}`)
  }
  // What the driver takes them for; it warns of it in each process.
  if (sslmode !== null && CHECKED.includes(sslmode)) url.searchParams.set('sslmode', 'verify-full')
  url.searchParams.delete('options')
  url.searchParams.delete('pool')
  return {
    connectionString: withHost === text ? url.href : withoutHost(url),
    options,
    max: pool === null ? undefined : Number(pool),
  }
}

function badUrl(problem: string): AppError {
  return new AppError('bad-setting', `store: the address of the database ${problem}`, {
    setting: 'store',
  })
}
