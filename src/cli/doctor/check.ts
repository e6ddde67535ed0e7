/** What one check of `apie doctor` found, and what to do about it. */

/** `warning`: it works, with the drawback told. `skipped`: it could not be looked at. */
export type Verdict = 'ok' | 'warning' | 'problem' | 'skipped'

export type Check = {
  /** A few words, the same in every run. */
  readonly name: string
  readonly verdict: Verdict
  /** What was found, with its numbers. */
  readonly message: string
  /** What a person can do, in plain words; only with `warning` and `problem`. */
  readonly fix?: string
}

export const ok = (name: string, message: string): Check => ({ name, verdict: 'ok', message })

export const skipped = (name: string, message: string): Check => ({
  name,
  verdict: 'skipped',
  message,
})

export const warning = (name: string, message: string, fix: string): Check => ({
  name,
  verdict: 'warning',
  message,
  fix,
})

export const problem = (name: string, message: string, fix: string): Check => ({
  name,
  verdict: 'problem',
  message,
  fix,
})

/** The operating system's word for what went wrong, such as `EACCES`. */
export function osCode(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : String(error)
}
