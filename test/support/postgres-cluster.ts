/**
 * A PostgreSQL server of our own, from Debian's binaries: a new cluster in a temporary folder, on loopback
 * and a socket beside its data, with a password. Never the service of the machine. Root runs it as the user
 * `postgres`, since it refuses root.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'

const VERSIONS = '/usr/lib/postgresql'
const PASSWORD = 'only for this test'

export type PostgresCluster = {
  /** Of a database in it, over loopback. */
  readonly url: string
  readonly port: number
  /** Its binaries. */
  readonly programs: string
  /** Ends it the hard way, as a machine that loses power under it would, but for the disk. */
  kill(): Promise<void>
  /** Starts it again on the same data; where it is killed before it serves, once more. */
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

/** The newest installed version, or `undefined`. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined
  const found = readdirSync(VERSIONS)
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(VERSIONS, version, 'bin'))
  return found.find((folder) => existsSync(join(folder, 'initdb')))
}

/** `APIE_TEST_POSTGRES_URL` where a set-up has started one, for the files of tests. */
export const postgresUrl = (): string | undefined => process.env['APIE_TEST_POSTGRES_URL']

type Owner = { readonly uid?: number; readonly gid?: number }

function owner(): Owner {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** An empty folder of the user that runs the servers; files for a server are made by `own`. */
export function serverFolder(name: string): { readonly path: string; own(file: string): void } {
  const { uid, gid } = owner()
  const path = mkdtempSync(join(tmpdir(), `apie-${name}-`))
  const own = (file: string) => {
    if (uid !== undefined) chownSync(file, uid, gid ?? uid)
  }
  own(path)
  return { path, own }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

/** @param settings of the server, such as `fsync=off` */
export async function startCluster(settings: readonly string[] = []): Promise<PostgresCluster> {
  const programs = postgresPrograms()
  if (programs === undefined) throw new Error('PostgreSQL is not installed')
  const as = owner()
  const folder = mkdtempSync(join(tmpdir(), 'apie-postgres-'))
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid ?? as.uid)
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, PASSWORD, { mode: 0o644 })
  const data = join(folder, 'data')
  const words = ['-D', data, '-U', 'apie', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`]
  execFileSync(join(programs, 'initdb'), [...words, '-E', 'UTF8', '--locale=C.UTF-8', '-N'], {
    ...as,
    cwd: folder,
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const port = await freePort()
  const url = `postgresql://apie:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`
  const options = ['listen_addresses=127.0.0.1', `port=${port}`, 'max_connections=200', ...settings]
  let server: ChildProcess | undefined
  const start = async () => {
    for (;;) {
      for (const file of [join(folder, `.s.PGSQL.${port}.lock`), join(data, 'postmaster.pid')]) {
        removeEmpty(file)
      }
      const child = spawn(
        join(programs, 'postgres'),
        ['-D', data, '-k', folder, ...options.flatMap((option) => ['-c', option])],
        { ...as, cwd: folder, env: {}, stdio: ['ignore', 'ignore', 'pipe'] },
      )
      server = child
      if (await isServing(child, url)) return
    }
  }
  const end = async (signal: NodeJS.Signals) => {
    const child = server
    server = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }
  await start()
  return {
    url,
    port,
    programs,
    start,
    kill: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A server that is killed between making its lock file and filling it leaves one that none starts beside. */
function removeEmpty(lockFile: string): void {
  if (statSync(lockFile, { throwIfNoEntry: false })?.size === 0) rmSync(lockFile, { force: true })
}

/**
 * Once it accepts connections. False where it ended before: after a kill, backends may still hold the memory
 * of the one before.
 */
async function isServing(child: ChildProcess, url: string): Promise<boolean> {
  let isOver = false
  child.once('exit', () => {
    isOver = true
  })
  child.stderr?.resume()
  while (!isOver) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 1000 })
    client.on('error', () => {})
    try {
      await client.connect()
      return true
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    } finally {
      await client.end().catch(() => undefined)
    }
  }
  return false
}
