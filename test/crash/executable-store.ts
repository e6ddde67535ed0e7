/**
 * A data folder that only the built executable writes, one process a request as under a web server; what it
 * answered is kept, and the folder is judged by `oracle.ts` as any other.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomUuid } from '../../src/kit/random.ts'
import { cgiVariables } from '../support/cgi-run.ts'
import { EXECUTABLE, type Run, requireExecutable, run } from '../support/executable.ts'
import { freePort, send } from '../support/http-client.ts'
import { until } from '../support/use-apache.ts'
import { openLog } from './open-log.ts'
import { findViolations, type History } from './oracle.ts'

export type Sent = {
  readonly id?: string
  readonly stream?: string
  /** Characters that the body is made longer by. */
  readonly pad?: number
  /** A program and its words that run the executable, such as `strace`. */
  readonly around?: readonly string[]
  readonly executable?: string
  readonly variables?: Readonly<Record<string, string>>
  /** Asks this one instead of starting a process. */
  readonly server?: Front
}

/** What stands in front of the folder, such as a web server. */
export type Front = { readonly url: string; readonly authorization?: string }

/** `apie serve` on the folder. */
type StoreServer = Front & {
  hasEnded(): boolean
  /** Ends it with a signal and waits until it has. */
  kill(signal: NodeJS.Signals): Promise<void>
}

export type Outcome =
  | { readonly kind: 'stored'; readonly id: string }
  | { readonly kind: 'refused'; readonly id: string; readonly code: string }
  /** The process died, or says itself that it does not know. */
  | { readonly kind: 'unknown'; readonly id: string; readonly seen?: string }

/** The one code that promises nothing; the others promise that nothing was stored. */
const UNKNOWN = 'outcome-unknown'

export class ExecutableStore {
  readonly root: string
  readonly history: History
  private readonly sent = new Set<string>()

  constructor(root: string, before?: ExecutableStore) {
    requireExecutable()
    this.root = root
    for (const id of before?.sent ?? []) this.sent.add(id)
    this.history = {
      stored: [...(before?.history.stored ?? [])],
      refused: new Set(before?.history.refused),
      isKnown: (id) => this.sent.has(id) || id.startsWith('00000000-'),
    }
  }

  /** The same folder at another place, with what was told so far. */
  copy(root: string): ExecutableStore {
    execFileSync('cp', ['-a', this.root, root])
    return new ExecutableStore(root, this)
  }

  /** One request, one process. */
  async ask(
    method: string,
    target: string,
    body: string | undefined,
    sent: Sent = {},
  ): Promise<Run & { readonly status: number; readonly text: string }> {
    const [command = '', ...words] = [...(sent.around ?? []), sent.executable ?? EXECUTABLE]
    const variables = { APIE_DATA: this.root, APIE_ANONYMOUS: 'admin', ...sent.variables }
    const answer = await run(command, words, {
      environment: cgiVariables({
        method,
        target,
        ...(body === undefined ? {} : { body }),
        variables,
      }),
      input: body ?? '',
      limitMs: 60_000,
    })
    const [head = '', ...rest] = answer.out.split('\r\n\r\n')
    const status = Number(/^Status: (\d{3}) /.exec(head)?.[1] ?? 0)
    return { ...answer, status, text: rest.join('\r\n\r\n') }
  }

  async append(sent: Sent = {}): Promise<Outcome> {
    const { id = randomUuid(), stream = 's', pad = 0 } = sent
    const isRetry = this.sent.has(id)
    this.sent.add(id)
    const event = { eventId: id, eventType: 't', stream, body: { id, pad: 'x'.repeat(pad) } }
    const body = JSON.stringify(event)
    const answer = sent.server
      ? await askServer(sent.server, body)
      : await this.ask('POST', '/events', body, sent)
    const told = parsed(answer.text)
    if (answer.status === 200 && typeof told['hash'] === 'string') {
      this.history.refused.delete(id)
      this.history.stored.push({ id, position: Number(told['position']), hash: told['hash'] })
      return { kind: 'stored', id }
    }
    const code = told['code']
    if (typeof code !== 'string' || code === UNKNOWN) {
      return { kind: 'unknown', id, seen: `${answer.status} ${answer.text}${answer.err}` }
    }
    if (code === 'internal') throw new Error(`internal: ${answer.text}${answer.err}`)
    // A retry that is refused says nothing about the attempt before it.
    if (!isRetry) this.history.refused.add(id)
    return { kind: 'refused', id, code }
  }

  async serve(sent: Pick<Sent, 'around' | 'executable' | 'variables'> = {}): Promise<StoreServer> {
    const port = await freePort()
    const [command = '', ...words] = [...(sent.around ?? []), sent.executable ?? EXECUTABLE]
    const options = ['serve', '--host', '127.0.0.1', '--port', String(port), '--data', this.root]
    const child = spawn(command, [...words, ...options], {
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', APIE_ANONYMOUS: 'admin', ...sent.variables },
    })
    const ended = once(child, 'close')
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null
    const url = `http://127.0.0.1:${port}`
    const isReady = async () =>
      hasEnded() || (await send(`${url}/ping`).catch(() => undefined)) !== undefined
    await until(isReady, 30_000)
    const kill = async (signal: NodeJS.Signals) => {
      child.kill(signal)
      await ended
    }
    return { url, hasEnded, kill }
  }

  verify(executable = EXECUTABLE): Promise<Run> {
    return run(executable, ['verify', '--json', '--data', this.root])
  }

  /** What is wrong with the folder, in words; ends with an append of its own. */
  async findViolations(): Promise<string[]> {
    const opened = await openLog(this.root)
    try {
      return await findViolations(opened, this.history)
    } finally {
      await opened.log.close()
    }
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    // The process was ended in the middle of its answer, or before it.
    return {}
  }
}

/** Nothing where the connection ended before the answer did. */
async function askServer({ url, authorization }: Front, body: string) {
  const headers = authorization === undefined ? {} : { authorization }
  const sent = { method: 'POST', headers, body }
  const answer = await send(`${url}/events`, sent).catch(() => undefined)
  return { status: answer?.status ?? 0, text: answer?.text ?? '', err: '' }
}
