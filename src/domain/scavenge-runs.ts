/**
 * Runs of scavenging: one at a time, across processes, and what became of the last one. What is reclaimed and
 * how is the engine's; this knows who asked, whether it still goes on, and how to stop it.
 *
 * A run that shows no sign of life is one whose process was killed: the next one takes its place.
 */
import { randomUuid } from '../kit/uuid.ts'
import { AppError } from './app-error.ts'
import type { Clock, Progress, RecordEngine, StoredRecord } from './ports.ts'

/**
 * Reclaims the space of what nobody can see any more: bodies of deleted and truncated events. Ends early where
 * `signal` is aborted.
 */
export type Scavenge = (
  progress: Progress,
  signal: AbortSignal,
) => Promise<{ readonly reclaimedBytes: number }>

export type ScavengeRun = {
  readonly id: string
  /** Name of an account; empty where it was the command line. */
  readonly startedBy: string
  /** Milliseconds since 1970-01-01T00:00:00Z, as the times below. */
  readonly startedAtMs: number
  /** Last sign of life. */
  readonly aliveAtMs: number
  readonly state: 'running' | 'done' | 'stopped' | 'failed'
  readonly isToStop: boolean
  readonly reclaimedBytes: number
}

export type ScavengeRuns = {
  /**
   * @returns the id of a new run; where the process serves one request, after its end
   * @throws AppError `scavenge-running`
   */
  start(by: string): Promise<string>
  /** False where no run of this id goes on. */
  stop(id: string): Promise<boolean>
  /** The run that goes on, if one does. */
  current(): Promise<ScavengeRun | undefined>
  /** The last one that was started, or told of. */
  last(): Promise<ScavengeRun | undefined>
}

export type ScavengeParts = {
  readonly records: RecordEngine
  readonly clock: Clock
  readonly scavenge: Scavenge
  /** Told why a run has failed. */
  readonly report: (id: string, error: unknown) => void
  /** Whether `start` waits for the end: a process that serves one request ends with it. */
  readonly waits: boolean
}

const COLLECTION = 'scavenge'
const KEY = 'run'
const SIGN_OF_LIFE_MS = 1000
const DEAD_AFTER_MS = 60_000

export function createScavengeRuns(parts: ScavengeParts): ScavengeRuns {
  const { records, clock } = parts
  const read = () => records.read(COLLECTION, KEY)
  const last = async () => runOf(await read())
  const current = async () => {
    const run = await last()
    return run && isGoingOn(run, clock.now()) ? run : undefined
  }
  return {
    async start(by) {
      const record = await read()
      const before = runOf(record)
      const startedAtMs = clock.now()
      if (before && isGoingOn(before, startedAtMs)) throw alreadyRunning(before.id)
      const run = newRun(by, startedAtMs)
      await writeFirst(records, run, record)
      const running = work(parts, run)
      if (parts.waits) await running
      return run.id
    },
    async stop(id) {
      if ((await current())?.id !== id) return false
      await change(records, id, (run) => ({ ...run, isToStop: true }))
      return true
    },
    current,
    last,
  }
}

/**
 * Tells of a run that nobody had to wait for or stop, as the last one, when it is over. One that goes on or begins
 * meanwhile stays the last.
 */
export async function noteScavenge(
  records: RecordEngine,
  clock: Clock,
  { startedAtMs, reclaimedBytes }: Pick<ScavengeRun, 'startedAtMs' | 'reclaimedBytes'>,
): Promise<void> {
  const record = await records.read(COLLECTION, KEY)
  const before = runOf(record)
  const aliveAtMs = clock.now()
  if (before && isGoingOn(before, aliveAtMs)) return
  const run = newRun('', startedAtMs)
  try {
    await writeFirst(records, { ...run, aliveAtMs, state: 'done', reclaimedBytes }, record)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'scavenge-running') throw error
  }
}

function newRun(startedBy: string, startedAtMs: number): ScavengeRun {
  return {
    id: randomUuid(),
    startedBy,
    startedAtMs,
    aliveAtMs: startedAtMs,
    state: 'running',
    isToStop: false,
    reclaimedBytes: 0,
  }
}

const runOf = (record: StoredRecord | undefined) => record?.value as ScavengeRun | undefined

function isGoingOn({ state, aliveAtMs }: ScavengeRun, nowMs: number): boolean {
  // A sign of life from the future is one of a clock that was wrong.
  return state === 'running' && Math.abs(nowMs - aliveAtMs) < DEAD_AFTER_MS
}

async function writeFirst(
  records: RecordEngine,
  run: ScavengeRun,
  before: StoredRecord | undefined,
): Promise<void> {
  try {
    await records.write(COLLECTION, KEY, run, before?.revision ?? 'absent')
  } catch (error) {
    if (error instanceof AppError && error.code === 'record-conflict')
      throw alreadyRunning('', error)
    throw error
  }
}

function alreadyRunning(id: string, cause?: unknown): AppError {
  return new AppError('scavenge-running', 'The store is being scavenged already', { id }, cause)
}

/** Changes the record of a run for as long as it is the last one. */
async function change(
  records: RecordEngine,
  id: string,
  next: (run: ScavengeRun) => ScavengeRun,
): Promise<ScavengeRun | undefined> {
  for (;;) {
    const record = await records.read(COLLECTION, KEY)
    const run = runOf(record)
    if (!record || run?.id !== id) return undefined
    const changed = next(run)
    try {
      await records.write(COLLECTION, KEY, changed, record.revision)
      return changed
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'record-conflict') throw error
    }
  }
}

/** Never rejects: how it ended stands in the record. */
async function work(parts: ScavengeParts, run: ScavengeRun): Promise<void> {
  const { records, clock, scavenge, report } = parts
  const stopping = new AbortController()
  let saidAtMs = run.startedAtMs
  const say = async () => {
    const aliveAtMs = clock.now()
    const now = await change(records, run.id, (one) => ({ ...one, aliveAtMs }))
    // Whose place was taken because it seemed dead leaves the work to the other one.
    if (now === undefined || now.isToStop) stopping.abort()
  }
  const progress: Progress = () => {
    if (clock.now() - saidAtMs < SIGN_OF_LIFE_MS) return
    saidAtMs = clock.now()
    say().catch(() => {})
  }
  try {
    const { reclaimedBytes } = await scavenge(progress, stopping.signal)
    const state = stopping.signal.aborted ? 'stopped' : 'done'
    await change(records, run.id, (one) => ({ ...one, state, reclaimedBytes }))
  } catch (error) {
    const state = stopping.signal.aborted ? 'stopped' : 'failed'
    if (state === 'failed') report(run.id, error)
    await change(records, run.id, (one) => ({ ...one, state })).catch(() => {})
  }
}
