/**
 * What a driver said, and of which database: the cause of a refusal, for the log and the command line alone.
 * Never the address as it was given, which may hold a password.
 */

/** Each is left out where nobody knows it. */
export type DatabasePlace = {
  /** Host names, with ports where there are several of them. */
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly name?: string | undefined
}

export class DatabaseFailure extends Error {
  constructor(place: DatabasePlace, cause: unknown) {
    const known = [
      ['host', place.host],
      ['port', place.port],
      ['database', place.name],
    ].flatMap(([what, value]) => (value ? [`${what} ${value}`] : []))
    const reason = reasonOf(cause)
    super(`${known.join(', ')}${reason ? `: ${reason}` : ''}`.replace(/\p{C}/gu, '?'), { cause })
    this.name = 'DatabaseFailure'
  }
}

/** A host of several addresses fails with an error for each of them and no words of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join('; ')
  return error instanceof Error ? error.message : ''
}
