/** From what the driver throws to `AppError`: by the class of the error and the code of the server. */
import {
  MongoBulkWriteError,
  MongoDriverError,
  MongoNetworkError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
} from 'mongodb'
import { AppError, type ErrorCode } from '../../domain/app-error.ts'

type Meaning = { readonly code: ErrorCode; readonly message: string }

const meaning = (code: ErrorCode, message: string): Meaning => ({ code, message })
const UNAVAILABLE = meaning('storage-unavailable', 'The database cannot be reached')
const REFUSED = meaning('storage-unavailable', 'The database refuses what the program asks for')
const BUSY = meaning('lock-timeout', 'Others kept the log busy for too long')
const FULL = meaning('storage-full', 'There is no space left in the database')

const DUPLICATE = 11_000
const WRITE_CONFLICT = 112
/** The server stops, steps down, or is no longer the one that takes changes: the next one is asked later. */
const MOVING = [89, 91, 189, 262, 9001, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436]

const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [13, REFUSED],
  [18, REFUSED],
  [8000, REFUSED],
  [50, UNAVAILABLE],
  [WRITE_CONFLICT, BUSY],
  [251, BUSY],
  [14_031, FULL],
  [10_334, meaning('body-too-large', 'One document of the database cannot hold that much')],
  ...MOVING.map((code) => [code, UNAVAILABLE] as const),
])

const codeOf = (error: unknown): number | undefined => {
  const code = error instanceof MongoServerError ? error.code : undefined
  return typeof code === 'number' ? code : undefined
}

/** Whether a document with this key is there already. */
export const isDuplicate = (error: unknown): boolean => codeOf(error) === DUPLICATE

/** Which document of an ordered insertion was there already; those before it went in. */
export function duplicateAt(error: unknown): number | undefined {
  if (!(error instanceof MongoBulkWriteError) || !isDuplicate(error)) return undefined
  return [error.writeErrors].flat()[0]?.index
}

/** What broke a bulk write off: the driver wraps an error of the connection, too, into one of the server. */
function unwrapped(error: unknown): unknown {
  if (!(error instanceof MongoBulkWriteError)) return error
  const inner: unknown = error.errorResponse
  return inner instanceof Error ? inner : error
}

/** Whether no server was found, so that nothing was sent. */
export const isNeverSent = (error: unknown): boolean =>
  unwrapped(error) instanceof MongoServerSelectionError

/** Whether nobody knows what became of the last command. */
export function isLost(error: unknown): boolean {
  const inner = unwrapped(error)
  if (inner instanceof MongoNetworkError || inner instanceof MongoWriteConcernError) return true
  if (error instanceof MongoBulkWriteError && error.result.getWriteConcernError()) return true
  const code = codeOf(error)
  return isNeverSent(error) || (code !== undefined && (MOVING.includes(code) || code === 64))
}

/** `error` itself where it is an `AppError`. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  if (isLost(error)) return asError(UNAVAILABLE, error)
  if (error instanceof MongoParseError) return badUrl('cannot be understood', error)
  const code = codeOf(error)
  if (code !== undefined) {
    return asError(MEANINGS.get(code) ?? meaning('internal', 'The database refused'), error, code)
  }
  if (error instanceof MongoDriverError) {
    return asError(meaning('storage-unavailable', 'The database cannot be used as asked'), error)
  }
  return new AppError('internal', 'The program made a mistake', {}, error)
}

const asError = ({ code, message }: Meaning, cause: unknown, databaseCode?: number): AppError =>
  new AppError(code, message, databaseCode === undefined ? {} : { databaseCode }, cause)

export function badUrl(problem: string, cause?: unknown): AppError {
  const message = `store: the address of the database ${problem}`
  return new AppError('bad-setting', message, { setting: 'store' }, cause)
}

/** For a change that got no answer. */
export function outcomeUnknown(cause: unknown): AppError {
  return new AppError(
    'outcome-unknown',
    'The database was lost before it answered: what was sent may be stored; try again with the same ids',
    {},
    cause,
  )
}
