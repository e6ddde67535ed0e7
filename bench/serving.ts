/** Starts `apie serve`, and plain servers to measure it against, each a process of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { basic } from '../test/support/executable.ts'
import { freePort } from '../test/support/http-client.ts'
import { APIE } from './programs.ts'

export type Serving = {
  readonly port: number
  readonly authorization: string
  /** Most memory that it ever held, in MiB. */
  peakMiB(): number
  stop(): Promise<void>
}

const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin' }

/** Adds an account to a store and returns its `Authorization`. */
export function account(data: string): string {
  const words = [
    'user',
    'add',
    `bench${Date.now()}`,
    '--role',
    'admin',
    '--generate',
    '--data',
    data,
  ]
  const said = execFileSync(APIE, words, {
    env: ENVIRONMENT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const password = /[A-Za-z0-9_-]{22,}/.exec(said)?.[0]
  if (password === undefined) throw new Error(`no password in: ${said}`)
  return basic(words[2] ?? '', password)
}

export async function serveApie(data: string): Promise<Serving> {
  const authorization = account(data)
  const port = await freePort()
  const words = ['serve', '--host', '127.0.0.1', '--port', String(port), '--data', data]
  return await serving(spawn(APIE, words, quiet()), port, authorization)
}

/** @param folder whose files `GET /` streams */
export async function servePlain(folder: string): Promise<Serving> {
  const script = fileURLToPath(new URL('plain-server.ts', import.meta.url))
  const port = await freePort()
  return await serving(spawn(process.execPath, [script, String(port), folder], quiet()), port, '')
}

/** @param file what it answers everything with */
export async function servePage(file: string): Promise<Serving> {
  const script = fileURLToPath(new URL('page-server.ts', import.meta.url))
  const port = await freePort()
  return await serving(spawn(process.execPath, [script, String(port), file], quiet()), port, '')
}

function quiet() {
  return {
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
  }
}

async function serving(child: ChildProcess, port: number, authorization: string): Promise<Serving> {
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for (let tries = 0; !(await answers(port)); tries++) {
    if (child.exitCode !== null || tries > 500) throw new Error('a server did not start')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    port,
    authorization,
    peakMiB: () => {
      const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
    },
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function answers(port: number): Promise<boolean> {
  const { connect } = await import('node:net')
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
