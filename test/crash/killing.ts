/**
 * Runs writers against one data folder and kills them at random, then holds what they were told against what
 * the log says.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { parseStoredEvent } from '../../src/domain/event.ts'
import { openFolderForTest } from './store-for-kills.ts'
import { bundled } from './workers.ts'

export type KillPlan = {
  readonly folder: string
  readonly writers: number
  /** Kills, and acknowledged appends, after which no writer is started again. */
  readonly kills: number
  readonly acknowledged: number
  readonly hasLock: boolean
  /** Largest body of the next writer, bytes. */
  readonly largestBody: () => number
  /** Appends that the next writer has under way at a time. */
  readonly callers?: () => number
  /** Milliseconds a writer lives, at least and at most, once it has answered for the first time. */
  readonly life: readonly [number, number]
  readonly random: () => number
}

export type Told = { id: string; stream: string; position: number; hash: string }

export type History = {
  readonly acknowledged: Told[]
  /** When each id was tried, ms. */
  readonly tried: Map<string, number>
  readonly failures: string[]
  kills: number
  /** The longest time in which no writer was acknowledged, ms. */
  slowestMs: number
  /** The longest time between an append and its acknowledgement, ms. */
  longestMs: number
}

/** @returns what the writers were told */
export async function killWriters(plan: KillPlan): Promise<History> {
  const history: History = {
    acknowledged: [],
    tried: new Map(),
    failures: [],
    kills: 0,
    slowestMs: 0,
    longestMs: 0,
  }
  let last: number | undefined
  const isAcknowledged = () => {
    const now = performance.now()
    history.slowestMs = Math.max(history.slowestMs, Math.round(now - (last ?? now)))
    last = now
  }
  const one = async (name: string) => {
    const isEnough = () =>
      history.kills >= plan.kills && history.acknowledged.length >= plan.acknowledged
    // One failure is one too many; a log that is damaged would never have enough.
    while (history.failures.length === 0 && !isEnough()) {
      await runAndKill(plan, name, history, isAcknowledged)
    }
  }
  await Promise.all(Array.from({ length: plan.writers }, (_, index) => one(`w${index}`)))
  return history
}

async function runAndKill(
  plan: KillPlan,
  name: string,
  history: History,
  isAcknowledged: () => void,
): Promise<void> {
  const lock = plan.hasLock ? 'lock' : 'no-lock'
  const largest = `${plan.largestBody()}`
  const rest = plan.callers ? ['5', '1000000', `${plan.callers()}`] : []
  const words = [await bundled('writer'), plan.folder, lock, name, largest, ...rest]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [least, most] = plan.life
  let timer: NodeJS.Timeout | undefined
  await readLines(child, (line) => {
    timer ??= setTimeout(() => child.kill('SIGKILL'), least + plan.random() * (most - least))
    if (note(line, history) === 'ok') isAcknowledged()
  })
  clearTimeout(timer)
  history.kills++
}

function readLines(child: ChildProcess, take: (line: string) => void): Promise<void> {
  let rest = ''
  let errors = ''
  child.stdout?.on('data', (bytes: Buffer) => {
    const lines = (rest + bytes).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
  child.stderr?.on('data', (bytes: Buffer) => {
    errors += bytes
  })
  return new Promise((resolve, reject) => {
    child.on('close', (code) =>
      code === null ? resolve() : reject(new Error(`A writer ended by itself: ${errors}`)),
    )
  })
}

/** @returns what the line says that it is */
function note(line: string, history: History): string {
  const { acknowledged, tried, failures } = history
  const [word, id = '', stream = '', position, hash = ''] = line.split(' ')
  const now = performance.now()
  if (word === 'try') tried.set(id, now)
  const waitedMs = Math.round(now - (tried.get(id) ?? now))
  history.longestMs = Math.max(history.longestMs, waitedMs)
  if (word === 'ok') acknowledged.push({ id, stream, position: Number(position), hash })
  if (word === 'failed') failures.push(`${line} after ${waitedMs} ms`)
  return word ?? ''
}

export type Violations = {
  readonly count: number
  readonly examples: readonly string[]
  readonly voidBytes: number
}

/** Everything that must hold of a log after any number of kills. */
export async function findViolations(folder: string, history: History): Promise<Violations> {
  const examples: string[] = []
  const log = await openFolderForTest(folder, true)
  const byPosition: { id: string; hash: string }[] = []
  const ids = new Set<string>()
  const versions = new Map<string, number>()
  for await (const run of log.readLog(0, Number.MAX_SAFE_INTEGER, 'forwards')) {
    for (const stored of run) {
      const event = parseStoredEvent(stored) as ReturnType<typeof parseStoredEvent> & {
        version: number
        position: number
      }
      if (stored.position !== byPosition.length) examples.push(`gap at ${stored.position}`)
      if (event.position !== stored.position) examples.push(`wrong position ${stored.position}`)
      if (ids.has(event.eventId)) examples.push(`twice: ${event.eventId}`)
      if (!history.tried.has(event.eventId)) examples.push(`never sent: ${event.eventId}`)
      const version = (versions.get(event.stream) ?? -1) + 1
      if (event.version !== version) examples.push(`${event.stream} has no version ${version}`)
      versions.set(event.stream, event.version)
      ids.add(event.eventId)
      byPosition.push({ id: event.eventId, hash: stored.hash })
    }
  }
  for (const told of history.acknowledged) {
    const found = byPosition[told.position]
    if (found?.id !== told.id || found.hash !== told.hash) examples.push(`lost: ${told.id}`)
  }
  const report = await log.verify()
  for (const { message } of report.findings) examples.push(message)
  await log.close()
  const voidBytes = report.counts['voidBytes'] ?? 0
  return { count: examples.length, examples: examples.slice(0, 20), voidBytes }
}
