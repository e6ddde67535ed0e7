/** Starts writers (`worker.ts`) as processes of their own, and talks to them. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { indexThread } from '../../executable/index-thread.mjs'
import type { Disk } from '../../src/storage/file/disk.ts'
import { SMALL_SEGMENT } from './open-log.ts'
import { seedingPlugin } from './seeded-bugs.ts'

export type StopAt = {
  readonly call: keyof Disk
  /** How the path of the file ends that it is for. */
  readonly file: string
  /** The n-th call from the command on, from 1. */
  readonly nth: number
  readonly when: 'before' | 'after'
}

/** An append, or a look at the end of a stream. */
export type Command = {
  readonly n: number
  readonly isLook?: boolean
  readonly id: string
  readonly stream: string
  /** Characters that the body is made longer by. */
  readonly pad: number
  readonly expected?: number
  readonly stopAt?: StopAt
}

export type Answer =
  | {
      readonly n: number
      readonly kind: 'appended' | 'already-there'
      readonly position: number
      readonly hash: string
      readonly version: number
    }
  | { readonly n: number; readonly kind: 'head'; readonly version: number }
  | { readonly n: number; readonly kind: 'refused'; readonly code: string }

const bundles = new Map<string, Promise<string>>()

type Program = 'worker' | 'writer' | 'reader' | 'record-writer' | 'content-writer' | 'claimer'

/** One file made of a program and everything it imports: starting the sources takes three times as long. */
export function bundled(name: Program): Promise<string> {
  bundles.set(name, bundles.get(name) ?? bundleOf(name))
  return bundles.get(name) as Promise<string>
}

async function bundleOf(name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'apie-worker-'))
  // Workers of other users have to read it, too.
  chmodSync(folder, 0o755)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const outfile = join(folder, `${name}.mjs`)
  const entry = fileURLToPath(new URL(`./${name}.ts`, import.meta.url))
  const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: banner },
    plugins: [seedingPlugin()],
    define: await indexThread([seedingPlugin()]),
  })
  return outfile
}

type WorkerOptions = {
  readonly segmentBytes?: number
  readonly uid?: number
  readonly isLongLived?: boolean
  readonly lockTimeoutMs?: number
}

export class Worker {
  readonly child: ChildProcess
  private readonly waiting = new Map<number, (answer: Answer | undefined) => void>()
  private isGone = false
  private n = 0

  private constructor(child: ChildProcess) {
    this.child = child
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const answer = JSON.parse(line) as Answer
        this.waiting.get(answer.n)?.(answer)
        this.waiting.delete(answer.n)
      })
    }
    child.stdin?.on('error', () => {})
    child.on('close', () => {
      this.isGone = true
      for (const answer of this.waiting.values()) answer(undefined)
    })
  }

  /** @param given `uid`: the user it runs as; `isLongLived`: it writes as a server does */
  static async start(
    root: string,
    lock: 'lock' | 'no-lock',
    given: WorkerOptions = {},
  ): Promise<Worker> {
    const { segmentBytes = SMALL_SEGMENT, uid, isLongLived = false, lockTimeoutMs = 30_000 } = given
    const numbers = [segmentBytes, lockTimeoutMs].map(String)
    const words = [await bundled('worker'), root, lock, ...numbers, String(isLongLived)]
    const user = uid === undefined ? {} : { uid, gid: uid }
    const stdio: StdioOptions = ['pipe', 'pipe', 'inherit']
    return new Worker(spawn(process.execPath, words, { stdio, ...user }))
  }

  /** One that writes to a database. */
  static onDatabase(url: string): Worker {
    const words = [fileURLToPath(new URL('./database-worker.ts', import.meta.url)), url]
    return new Worker(spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] }))
  }

  /** The answer, or `undefined` where the worker was killed before it gave one. */
  ask(command: Omit<Command, 'n'>): Promise<Answer | undefined> {
    if (this.isGone) return Promise.resolve(undefined)
    const n = this.n++
    return new Promise((resolve) => {
      this.waiting.set(n, resolve)
      this.child.stdin?.write(`${JSON.stringify({ n, ...command })}\n`)
    })
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  async end(): Promise<void> {
    if (this.isGone) return
    const closed = new Promise((resolve) => this.child.once('close', resolve))
    this.child.stdin?.end()
    await closed
  }

  /** True while the process is stopped by a signal. */
  get isStopped(): boolean {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T')
  }
}
