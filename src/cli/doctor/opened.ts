/**
 * What requests do with an open store, done once: a log whose end can be read may still have an index that finds
 * nothing, records that nobody can sign in with, or a mark that refuses every append. A look at each, however large
 * the store is; what is damaged elsewhere `apie verify` finds.
 */
import { createAccountRecords } from '../../domain/account-records.ts'
import { AppError, type ErrorCode } from '../../domain/app-error.ts'
import { parseStoredEvent, type StoredEvent } from '../../domain/event.ts'
import { readLastEvent } from '../../domain/last-event.ts'
import type { LogEngine, Store } from '../../domain/ports.ts'
import { streamSequence } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { counted } from '../counted.ts'
import { type Check, ok, problem } from './check.ts'

/** What helps against a code, where doctor knows more than the table of errors. */
export type Fixes = Partial<Readonly<Record<ErrorCode, string>>>

const VERIFY =
  'Run "apie verify": it tells where, and whether "apie reindex" repairs it or only a backup does.'

export const FIXES: Fixes = {
  'log-damaged': VERIFY,
  'index-behind': 'Run "apie reindex".',
  'index-damaged': 'Run "apie reindex", then "apie verify".',
}

/** The number of events and the time of the last one. @throws AppError what a request for it would be refused with */
export async function lookAtLog(
  log: LogEngine,
): Promise<{ readonly count: number; readonly lastTime?: string }> {
  const { count, event } = await readLastEvent(log)
  if (event === undefined) return { count }
  const { stream, createdAt } = parseStoredEvent(event)
  await lookUp(log, stream, event)
  return { count, lastTime: createdAt }
}

/** In each of the tables that an index has: a stream, its last event, what an append asks of it, and a hash. */
async function lookUp(log: LogEngine, stream: StreamName, last: StoredEvent): Promise<void> {
  const sequence = streamSequence(stream)
  const head = await log.sequenceHead(sequence)
  const members = head ? await log.readSequence(sequence, head.number, 'backwards', 1) : []
  await log.streamState(stream)
  const position = await log.findHash(last.hash)
  // Somebody may have appended meanwhile.
  const isFound = head !== undefined && head.position >= last.position && members.length === 1
  if (isFound && position === last.position) return
  throw new AppError('index-damaged', 'The index of the log does not know its last event')
}

/** Whether the records can be read; how many accounts they hold is not known where they cannot. */
export async function lookAtAccounts({
  records,
}: Pick<Store, 'records'>): Promise<{ readonly count?: number; readonly check: Check }> {
  const name = 'accounts'
  try {
    const { length } = await createAccountRecords(records).list()
    return { count: length, check: ok(name, `${counted(length, 'accounts')} can be read`) }
  } catch (error) {
    return { check: failed(name, error) }
  }
}

/** A mark stays until somebody does something about it: until then every append is refused. */
export async function checkMarks({ log, records }: Store): Promise<Check[]> {
  const checks: Check[] = []
  for (const [name, engine] of [
    ['appends', log],
    ['changes of records', records],
  ] as const) {
    if (!engine.ensureWritable) continue
    try {
      await engine.ensureWritable()
      checks.push(ok(name, 'no earlier failure of the disk keeps them back'))
    } catch (error) {
      checks.push(failed(name, error, MARK_FIXES))
    }
  }
  return checks
}

const MARK_FIXES: Fixes = {
  ...FIXES,
  'storage-unavailable':
    'Look what the system says of the disk (dmesg), then run "apie verify": where it finds no damage it lets them through again.',
}

/** What a request is refused with, and what helps. */
export function failed(name: string, error: unknown, fixes = FIXES): Check {
  if (!(error instanceof AppError)) {
    return problem(name, (error as Error).message, 'See the log of the program.')
  }
  const fix = fixes[error.code] ?? `See docs/errors.md under "${error.code}".`
  return problem(name, `${error.message} [${error.code}]`, fix)
}
