/** The built executable: where it is, and how a test runs its command line. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { SystemUser } from './apache-variants.ts'

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
export const EXECUTABLE = fileURLToPath(new URL('../../cgi-bin/apie', import.meta.url))

export type Run = { readonly status: number | null; readonly out: string; readonly err: string }

export type RunOptions = {
  readonly user?: SystemUser | undefined
  readonly input?: string | Uint8Array
  /** The whole environment of the process; only `PATH` where it is absent. */
  readonly environment?: Readonly<Record<string, string>>
  readonly folder?: string
  /** Kills the process after so many ms. */
  readonly limitMs?: number
}

const PATH = '/usr/local/bin:/usr/bin:/bin'

/** @throws Error with the command that makes the executable, where it is missing */
export function requireExecutable(path: string = EXECUTABLE): string {
  if (!existsSync(path)) throw new Error(`${path} is missing: run "npm run build" first`)
  return path
}

/** Starts a program with next to no environment, as another user where one is given. */
export function start(
  command: string,
  parameters: readonly string[],
  options: RunOptions = {},
): ChildProcess {
  return spawn(command, parameters, {
    env: options.environment ?? { PATH },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.folder === undefined ? {} : { cwd: options.folder }),
    ...(options.user === undefined ? {} : { uid: options.user.uid, gid: options.user.gid }),
    ...(options.limitMs === undefined ? {} : { timeout: options.limitMs, killSignal: 'SIGKILL' }),
  })
}

/** Runs a program to its end. */
export function run(
  command: string,
  parameters: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const child = start(command, parameters, options)
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk))
  // A program that does not read its input closes the pipe early; that is its right.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(options.input ?? '')
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) =>
      resolve({
        status,
        out: Buffer.concat(out).toString('latin1'),
        err: Buffer.concat(err).toString('utf8'),
      }),
    )
  })
}

/** Makes an account with a generated password and returns that password. */
export async function addAccount(
  executable: string,
  data: string,
  name: string,
  role: 'reader' | 'writer' | 'admin',
  user?: SystemUser,
): Promise<string> {
  const parameters = ['user', 'add', name, '--role', role, '--generate', '--data', data]
  const made = await run(executable, parameters, { user })
  const password = /[A-Za-z0-9_-]{22,}/.exec(made.out)?.[0]
  if (made.status !== 0 || password === undefined) {
    throw new Error(`user add failed (${made.status}): ${made.out}${made.err}`)
  }
  return password
}

export function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}
