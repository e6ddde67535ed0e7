/**
 * Where the program's own log lines go: standard error, or the file of the setting `logFile`. A log that
 * cannot be written never fails a request; the line then goes to standard error.
 */
import { AppError } from './domain/app-error.ts'
import type { Clock } from './domain/ports.ts'
import { type LogFacts, type LogLevel, logLine } from './kit/log-line.ts'
import type { Disk } from './storage/file/disk.ts'

export type ProgramLog = {
  write(level: LogLevel, message: string, facts?: LogFacts): void
  /** What went wrong inside; `reference` is what the client was told. */
  report(reference: string, error: unknown): void
}

export type LogParts = {
  /** Path of a file that is appended to; empty: standard error. */
  readonly file: string
  readonly disk: Pick<Disk, 'openAppend' | 'create' | 'appendOnce' | 'close'>
  readonly clock: Clock
  /** Rewrites a stack so that it points at the sources. */
  readonly mapStack?: (stack: string) => string
}

const STANDARD_ERROR = 2

/** Kinds of failure whose stack is kept in mind; a process that has more of them says some twice. */
const MOST_KINDS = 100

/** The stack of a failure is written once a process: where it came from does not change, and disks are small. */
export function createProgramLog(parts: LogParts): ProgramLog {
  const told = new Set<string>()
  const isNew = (kind: string) => {
    if (told.has(kind)) return false
    if (told.size >= MOST_KINDS) told.clear()
    return told.add(kind).has(kind)
  }
  const write: ProgramLog['write'] = (level, message, facts) => {
    const line = logLine({ atMs: parts.clock.now(), level, message, ...(facts ? { facts } : {}) })
    append(parts, Buffer.from(line))
  }
  return {
    write,
    report(reference, error) {
      const { message, facts, stack } = describe(error)
      const isWanted = stack !== undefined && isNew(`${message} ${facts['code']}`)
      const shown = isWanted ? { stack: frames(stack, parts.mapStack) } : {}
      write('error', message, { reference, ...facts, ...shown })
    },
  }
}

/** What the machine or the settings refuse: the code and the operating system's word for it say everything. */
const NO_DEFECT: readonly string[] = [
  'storage-full',
  'storage-read-only',
  'storage-unavailable',
  'data-folder-unsafe',
  'format-unknown',
  'lock-timeout',
  'index-behind',
  'index-damaged',
  'bad-setting',
]

type Described = { readonly message: string; readonly facts: LogFacts; readonly stack?: Error }

function describe(error: unknown): Described {
  if (!(error instanceof Error)) return { message: `thrown: ${String(error)}`, facts: {} }
  const cause = error.cause instanceof Error ? error.cause : undefined
  const code = error instanceof AppError ? error.code : 'internal'
  const facts = { code, cause: cause?.message }
  if (NO_DEFECT.includes(code)) return { message: error.message, facts }
  return { message: error.message, facts, stack: cause ?? error }
}

/** The stack without the message, which stands before it in the line. */
function frames(error: Error, mapStack: LogParts['mapStack'] = (stack) => stack): string {
  const lines = mapStack(error.stack ?? '').split('\n')
  const first = lines.findIndex((line) => /^\s+at /.test(line))
  return first < 0 ? '' : lines.slice(first).join(' ').replaceAll(/\s+/g, ' ').trim()
}

function append({ file, disk }: LogParts, line: Uint8Array): void {
  if (file !== '' && attempt(() => appendToFile(file, disk, line))) return
  attempt(() => disk.appendOnce(STANDARD_ERROR, line))
}

function attempt(write: () => void): boolean {
  try {
    write()
    return true
  } catch {
    return false
  }
}

/** Opened for each line, so that the file may be moved away at any time. */
function appendToFile(file: string, disk: LogParts['disk'], line: Uint8Array): void {
  const opened = disk.openAppend(file) ?? disk.create(file) ?? disk.openAppend(file)
  if (opened === undefined) throw new AppError('storage-unavailable', 'The log file is not there')
  try {
    disk.appendOnce(opened, line)
  } finally {
    disk.close(opened)
  }
}
