/** Starts `apie serve` on a free port with a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addAccount, basic, EXECUTABLE, requireExecutable, start } from './executable.ts'
import { freePort, type Received, type Sent, send } from './http-client.ts'

export type Serve = {
  readonly pid: number
  readonly port: number
  readonly url: string
  readonly dataFolder: string
  readonly authorization: string
  /** Sends a request as `admin`; an `Authorization` header of its own wins. */
  send(path: string, sent?: Sent): Promise<Received>
  /** What it wrote to standard error. */
  errorLog(): string
  /** Resolves to the exit status when it has ended. */
  readonly ended: Promise<number | null>
  /** Ends it with SIGTERM, removes the folder, returns the exit status. */
  stop(): Promise<number | null>
}

/** @param options false for `account` leaves the store without one */
export async function startServe(
  environment: Readonly<Record<string, string>> = {},
  options: { readonly account?: boolean } = {},
): Promise<Serve> {
  requireExecutable()
  const root = mkdtempSync(join(tmpdir(), 'apie-serve-'))
  const dataFolder = join(root, 'data')
  const password =
    options.account === false ? '' : await addAccount(EXECUTABLE, dataFolder, 'admin', 'admin')
  const port = await freePort()
  const child = start(
    EXECUTABLE,
    ['serve', '--host', '127.0.0.1', '--port', String(port), '--data', dataFolder],
    { environment: { PATH: '/usr/bin:/bin', ...environment } },
  )
  let log = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  child.stdout?.resume()
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  const authorization = basic('admin', password)
  const deadline = Date.now() + 10_000
  while (!(await send(`${url}/ping`).catch(() => undefined))) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`no server: ${log}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    pid: child.pid ?? 0,
    port,
    url,
    dataFolder,
    authorization,
    send: (path, sent = {}) =>
      send(url + path, { ...sent, headers: { authorization, ...sent.headers } }),
    errorLog: () => log,
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      const status = await ended
      rmSync(root, { recursive: true, force: true })
      return status
    },
  }
}
