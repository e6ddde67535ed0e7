/** The broker's command line on a store of a test, and an API that does what it is told. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SettingSources } from '../../src/config.ts'
import type { Store } from '../../src/domain/ports.ts'
import { type Ran, runWords } from './command-line.ts'

/** What `apie broker list --json` prints. */
export type Listed = {
  readonly id: number
  readonly external_uuid: string
  readonly class: string
  readonly created: string
  readonly causation_id: number | string
  readonly data: unknown
}

/** A command that goes on until it is stopped. */
export type Going = {
  /** Lines on standard output so far. */
  lines(): string[]
  err(): string
  /** Interrupts it and tells how it ended. */
  stop(): Promise<Ran>
  readonly done: Promise<Ran>
}

export type Broker = {
  /** Runs one command to its end. */
  run(...words: readonly string[]): Promise<Ran>
  /** Starts one that goes on. */
  start(...words: readonly string[]): Going
  list(): Promise<Listed[]>
}

/** @param environment settings as variables */
export function brokerOn(
  store: () => Store,
  environment: NonNullable<SettingSources['environment']> = {},
): Broker {
  const runWith = (words: readonly string[], signal: AbortSignal, tell?: Tell) =>
    runWords(
      ['broker', ...words],
      {
        // Commands close what they open; the store of a test outlives them.
        openStore: async () => ({ ...store(), close: async () => {} }),
        untilStopped: () => signal,
      },
      '',
      { environment, ...(tell ? { tell } : {}) },
    )
  const run = (...words: readonly string[]) => runWith(words, new AbortController().signal)
  return {
    run,
    start(...words) {
      const stopping = new AbortController()
      let out = ''
      let err = ''
      const done = runWith(words, stopping.signal, (stream, text) => {
        if (stream === 'out') out += text
        else err += text
      })
      return {
        lines: () => out.split('\n').slice(0, -1),
        err: () => err,
        stop: () => {
          stopping.abort()
          return done
        },
        done,
      }
    },
    async list() {
      const { code, out, err } = await run('list', '--json')
      if (code !== 0) throw new Error(err)
      return out
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Listed)
    },
  }
}

type Tell = (stream: 'out' | 'err', text: string) => void

/** What the API does with one call. */
export type Answer = (call: { text: string; key: string }, response: ServerResponse) => void

export type ScriptedApi = {
  readonly url: string
  /** Texts of the calls so far. */
  readonly calls: { readonly text: string; readonly key: string; readonly headers: object }[]
  close(): Promise<void>
}

/** Answers each call by `answer`; a call without an answer stays open until it is given up. */
export async function scriptedApi(answer: Answer): Promise<ScriptedApi> {
  const calls: ScriptedApi['calls'] = []
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString('utf8')
    const key = String(incoming.headers['idempotency-key'])
    calls.push({ text, key, headers: incoming.headers })
    answer({ text, key }, outgoing)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

/** Waits until something holds. @throws Error where it does not within 20 s */
export async function until(claim: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never: ${claim}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
