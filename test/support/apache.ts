/**
 * Starts a private Apache with the executable installed in it, on a free port of 127.0.0.1 and in a
 * folder of its own; the machine's own web server and its configuration stay untouched.
 *
 * Configuration text: `apache-config.ts`. Which files go where for each way of installing: `apache-site.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apacheConfig } from './apache-config.ts'
import { buildSite, type Shape, type Site } from './apache-site.ts'
import {
  APACHE,
  SUEXEC_ROOT,
  type SystemUser,
  scriptUser,
  type Variant,
} from './apache-variants.ts'
import { addAccount, basic, EXECUTABLE, requireExecutable } from './executable.ts'
import { freePort, type Received, type Sent, send } from './http-client.ts'

export type ApacheOptions = {
  readonly variant: Variant
  readonly shape: Shape
  readonly executable?: string
  /** Written to the settings file, or into the stub; `data` is filled in. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  readonly allowOverride?: 'All' | 'None'
  /** Further lines of server configuration. */
  readonly configuration?: string
  /** False leaves the store without an account. */
  readonly account?: boolean
  /** True puts the data folder below the document root. */
  readonly dataInside?: boolean
}

export type Apache = Site & {
  readonly variant: Variant
  /** Of the process that starts all others. */
  readonly pid: number
  readonly port: number
  readonly origin: string
  /** Base of the API, without a trailing slash. */
  readonly url: string
  readonly user: SystemUser | undefined
  readonly password: string
  /** Value of the `Authorization` header of the account `admin`. */
  readonly authorization: string
  /** Sends a request below `url` as `admin`; an `Authorization` header of its own wins. */
  send(path: string, sent?: Sent): Promise<Received>
  errorLog(): string
  /** Ids of running processes of the installed executable. */
  processes(): number[]
  stop(): Promise<void>
}

export async function startApache(options: ApacheOptions): Promise<Apache> {
  const { variant } = options
  const user = scriptUser(variant)
  const root = mkdtempSync(join(variant.suexec ? SUEXEC_ROOT : tmpdir(), 'apie-apache-'))
  chmodSync(root, 0o755)
  const executable = requireExecutable(options.executable ?? EXECUTABLE)
  const site = buildSite({
    root,
    shape: options.shape,
    executable,
    user,
    settings: options.settings ?? {},
    dataInside: options.dataInside ?? false,
  })
  const password =
    options.account === false
      ? ''
      : await addAccount(site.program, site.dataFolder, 'admin', 'admin', user)
  const port = await freePort()
  const configFile = join(root, 'apache.conf')
  writeFileSync(
    configFile,
    apacheConfig({
      variant,
      port,
      runFolder: root,
      documentRoot: site.documentRoot,
      scriptFolder: site.scriptFolder,
      allowOverride: options.allowOverride ?? 'All',
      scriptUser: user,
      extra: options.configuration ?? '',
    }),
  )
  const server = await launch(configFile, port, () => readLog(root))
  const origin = `http://127.0.0.1:${port}`
  const authorization = basic('admin', password)
  const url = origin + site.path
  return {
    ...site,
    variant,
    pid: server.pid ?? 0,
    port,
    origin,
    url,
    user,
    password,
    authorization,
    send: (path, sent = {}) =>
      send(url + path, { ...sent, headers: { authorization, ...lowerCase(sent.headers) } }),
    errorLog: () => readLog(root),
    processes: () => processesOf(site.program),
    stop: async () => {
      await stop(server)
      for (const pid of processesOf(site.program)) process.kill(pid, 'SIGKILL')
      rmSync(root, { recursive: true, force: true })
    },
  }
}

function lowerCase(headers: Sent['headers'] = {}): Record<string, string | readonly string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
}

function readLog(root: string): string {
  try {
    return readFileSync(join(root, 'error.log'), 'utf8')
  } catch {
    return ''
  }
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const server of running) server.kill('SIGTERM')
})

async function launch(configFile: string, port: number, log: () => string): Promise<ChildProcess> {
  const server = spawn(APACHE, ['-f', configFile, '-DFOREGROUND'], {
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // When it ends, Apache signals its whole process group: give it one of its own.
    detached: true,
  })
  running.add(server)
  let said = ''
  server.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  server.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const deadline = Date.now() + 10_000
  while (!(await accepts(port))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      throw new Error(`Apache did not start: ${said}${log()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return server
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function stop(server: ChildProcess): Promise<void> {
  running.delete(server)
  return new Promise((resolve) => {
    if (server.exitCode !== null) return resolve()
    server.once('exit', () => resolve())
    server.kill('SIGTERM')
  })
}

/** Processes whose program is this very file, replaced or not. */
function processesOf(program: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '') === program
      } catch {
        return false
      }
    })
}
