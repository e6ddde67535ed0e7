/**
 * The one error of the program and the closed list of its codes.
 *
 * A refusal or a failure throws `AppError`; a miss is `undefined`. The code says what happened, the
 * message says it to a person, `facts` keep the values for whoever translates it. Which HTTP status a
 * code has is known to `http/problem.ts` alone; what a user can do about it stands in `docs/errors.md`.
 */

/** Codes about what the client sent. */
type RequestCode =
  | 'bad-request'
  | 'bad-json'
  | 'bad-field'
  | 'bad-query'
  | 'bad-header'
  | 'bad-name'
  | 'body-incomplete'
  | 'body-too-large'
  | 'uri-too-long'
  | 'header-too-large'
  | 'media-type-unsupported'
  | 'not-acceptable'
  | 'range-not-satisfiable'
  | 'route-not-found'
  | 'method-not-allowed'
  | 'request-timeout'

/** Codes about who asks. */
type AccessCode =
  | 'credentials-missing'
  | 'credentials-wrong'
  | 'access-denied'
  | 'cross-site-refused'
  | 'too-many-attempts'
  | 'setup-required'
  | 'setup-token-wrong'
  | 'account-exists'
  | 'account-not-found'
  | 'last-admin'

/** Codes about the log and the content store. */
type StoreCode =
  | 'event-not-found'
  | 'stream-not-found'
  | 'stream-deleted'
  | 'stream-locked'
  | 'event-id-conflict'
  | 'head-mismatch'
  | 'wrong-expected-version'
  | 'record-conflict'
  | 'content-not-found'
  | 'content-damaged'
  | 'log-damaged'
  | 'import-refused'
  | 'scavenge-running'
  | 'group-exists'
  | 'group-not-found'

/** Codes about the machine below. */
type StorageCode =
  | 'index-behind'
  | 'index-damaged'
  | 'lock-timeout'
  | 'outcome-unknown'
  | 'storage-full'
  | 'storage-read-only'
  | 'storage-unavailable'
  | 'data-folder-unsafe'
  | 'format-unknown'

/** Codes about how the program was called. */
type ProgramCode = 'bad-setting' | 'cannot-listen' | 'output-failed' | 'usage' | 'internal'

export type ErrorCode = RequestCode | AccessCode | StoreCode | StorageCode | ProgramCode

/** Values that belong to an error, by name; all of them may be shown to the client. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | readonly string[]>>

export class AppError extends Error {
  readonly code: ErrorCode
  readonly facts: ErrorFacts

  /**
   * @param code    which of the closed list
   * @param message one sentence for the person who called, without paths, values of the environment or
   *                credentials
   * @param facts   the values in it
   * @param cause   what was caught, for the log only
   */
  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'AppError'
    this.code = code
    this.facts = facts
  }
}
