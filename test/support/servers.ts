/** The same tests on every way of serving: each kind of Apache, and the program's own server. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { startApache } from './apache.ts'
import { describeVariants, type SystemUser, type Variant } from './apache-variants.ts'
import { EXECUTABLE, run } from './executable.ts'
import { type Received, type Sent, sendRaw } from './http-client.ts'
import { startServe } from './serve.ts'
import { type Watched, watch } from './watch.ts'

export type Server = {
  readonly dataFolder: string
  readonly port: number
  /** What stands before the paths of the API. */
  readonly path: string
  /** Value of the `Authorization` header of `admin`. */
  readonly authorization: string
  /** What program and web server wrote to their logs. */
  errorLog(): string
  /** Sends a request as `admin`. */
  send(path: string, sent?: Sent): Promise<Received>
  /** How many events the log holds. */
  count(): Promise<number>
  watch(request: Promise<Received>): Promise<Watched>
  /** Announces an append of so many bytes and sends a few; returns what comes back. */
  declare(length: number): Promise<string>
  /** Where the bytes of a blob lie. */
  contentPath(hash: string): string
}

type Running = {
  readonly dataFolder: string
  readonly port: number
  readonly path: string
  readonly user?: SystemUser | undefined
  readonly authorization: string
  errorLog(): string
  send(path: string, sent?: Sent): Promise<Received>
  processes(): readonly number[]
  stop(): Promise<unknown>
}

/** Runs `body` under `apie serve` and each variant; the store is verified at the end. */
export function describeServers(
  title: string,
  variants: readonly Variant[],
  body: (server: () => Server) => void,
): void {
  describe(`${title}, apie serve`, () => {
    body(
      useServer(async () => {
        const serve = await startServe()
        return { ...serve, path: '', processes: () => [serve.pid] }
      }),
    )
  })
  describeVariants(
    title,
    (variant) => body(useServer(() => startApache({ variant, shape: 'script-alias' }))),
    variants,
  )
}

function useServer(starting: () => Promise<Running>): () => Server {
  let running: Running | undefined
  beforeAll(async () => {
    running = await starting()
  })
  afterAll(async () => {
    if (running === undefined) return
    const { user, dataFolder } = running
    const verify = await run(EXECUTABLE, ['verify', '--json', '--data', dataFolder], { user })
    await running.stop()
    expect(verify, verify.out + verify.err).toMatchObject({ status: 0 })
  })
  return () => {
    if (running === undefined) throw new Error('the server is not running')
    return serverOf(running)
  }
}

function serverOf(running: Running): Server {
  return {
    dataFolder: running.dataFolder,
    port: running.port,
    path: running.path,
    authorization: running.authorization,
    errorLog: running.errorLog,
    send: running.send,
    count: async () => {
      const newest = await running.send('/events?order=desc&limit=1')
      const [event] = JSON.parse(newest.text) as { position: number }[]
      return event === undefined ? 0 : event.position + 1
    },
    watch: (request) => watch(running.processes, request),
    declare: (length) =>
      sendRaw(
        running.port,
        `POST ${running.path}/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
          `Authorization: ${running.authorization}\r\nContent-Length: ${length}\r\n\r\n{"eventType"`,
        { end: true },
      ),
    contentPath: (hash) => join(running.dataFolder, 'content', hash.slice(0, 2), `${hash}.blob`),
  }
}
