/** From what the driver throws to `AppError`: by SQLSTATE (appendix A of the manual) or the system's code. */
import { AppError, type ErrorCode } from '../../domain/app-error.ts'

const MIGRATE =
  'The database holds no store of this program, or an older one; "apie migrate" makes or upgrades it'

type Meaning = { readonly code: ErrorCode; readonly message: string }

const meaning = (code: ErrorCode, message: string): Meaning => ({ code, message })
const UNAVAILABLE = meaning('storage-unavailable', 'The database cannot be reached')
const SILENT = meaning('storage-unavailable', 'The database does not answer')
const UNNAMED = meaning(
  'storage-unavailable',
  'The database asks for a password, and the address, PGPASSWORD and PGPASSFILE give none',
)
/** What the driver says where it is to sign in and has none. */
const NO_PASSWORD = /password must be a (non-empty )?string/
const REFUSED = meaning('storage-unavailable', 'The database refuses what the program asks for')
const UNTRUSTED = meaning(
  'storage-unavailable',
  'The certificate of the database is not trusted: "sslrootcert" in the URL names the file of who signed it',
)
const UNREADABLE = meaning(
  'bad-setting',
  'store: a file that the address of the database names cannot be read',
)
const BUSY = meaning('lock-timeout', 'Others kept the log busy for too long')
const FULL = meaning('storage-full', 'There is no space left in the database')
const DAMAGED = meaning('log-damaged', 'The database says that its data is damaged')

/** By SQLSTATE, else by its class (the first two characters). */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  '53100': FULL,
  '25006': meaning('storage-read-only', 'The database takes no changes'),
  '55P03': BUSY,
  '40001': BUSY,
  '40P01': BUSY,
  '42P01': meaning('format-unknown', MIGRATE),
  '42703': meaning('format-unknown', MIGRATE),
  '3F000': meaning('format-unknown', MIGRATE),
  '3D000': meaning('storage-unavailable', 'There is no such database'),
  '42501': REFUSED,
  // No parameter brings bytes that are no UTF-8: they stand in a row.
  '22021': DAMAGED,
  XX001: DAMAGED,
  XX002: DAMAGED,
  '08': UNAVAILABLE,
  '28': meaning('storage-unavailable', 'The database refuses the user or the password'),
  '53': meaning('storage-unavailable', 'The database has no room for more work'),
  '57': UNAVAILABLE,
  '58': UNAVAILABLE,
}

/** What Node calls the reasons why a certificate is refused. */
const CERTIFICATE =
  /^(ERR_TLS_CERT|CERT_|DEPTH_ZERO_SELF|SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF))/

/** The code of an error of the driver or of the system; empty where it has none. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return typeof code === 'string' ? code : ''
}

const isSqlState = (code: string): boolean =>
  /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code)

/** Whether the connection is gone, so that nobody knows what became of the last statement. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AppError || isDefect(error)) return false
  const code = codeOf(error)
  return !isSqlState(code) || /^(08|57P0)/.test(code)
}

/** Whether the database took too long to answer; asked again, it would take as long again. */
export const isSilence = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout'

/** A mistake of the program, which no database made. */
const isDefect = (error: unknown): boolean =>
  (error instanceof TypeError || error instanceof RangeError) && codeOf(error) === ''

/** `error` itself where it is an `AppError`. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const code = codeOf(error)
  if (isDefect(error)) return new AppError('internal', 'The program made a mistake', {}, error)
  const found = isSqlState(code)
    ? (MEANINGS[code] ?? MEANINGS[code.slice(0, 2)])
    : withoutState(code, error)
  const { code: ours, message } = found ?? meaning('internal', 'The database refused a statement')
  return new AppError(ours, message, code === '' ? {} : { databaseCode: code }, error)
}

function withoutState(code: string, error: unknown): Meaning {
  if (isSilence(error)) return SILENT
  if (error instanceof Error && NO_PASSWORD.test(error.message)) return UNNAMED
  if (CERTIFICATE.test(code)) return UNTRUSTED
  // The driver reads certificates when it connects.
  return error instanceof Error && 'syscall' in error && error.syscall === 'open'
    ? UNREADABLE
    : UNAVAILABLE
}

/** For a change whose commit got no answer. */
export function outcomeUnknown(cause: unknown): AppError {
  return new AppError(
    'outcome-unknown',
    'The database was lost before it answered: what was sent may be stored; try again with the same ids',
    {},
    cause,
  )
}
