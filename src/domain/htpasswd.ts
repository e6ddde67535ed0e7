/**
 * Lines of htpasswd files (`name:hash`) and of Apie's `passwd` (`name:hash:info`). Only bcrypt is taken:
 * what htpasswd wrote before (MD5, SHA-1, crypt) is guessed too fast.
 */
import { type AccountName, parseAccountName, parseInfo } from './account.ts'
import { AppError } from './app-error.ts'
import type { BcryptPassword } from './password.ts'

export type HtpasswdEntry = {
  readonly name: AccountName
  readonly password: BcryptPassword
  readonly info: string
}

/** Costs beyond 15 take seconds to check. */
const bcryptHash = /^\$2[aby]\$(?:0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$/

/** @throws AppError `import-refused` that names the first line that cannot be taken */
export function parseHtpasswd(text: string): readonly HtpasswdEntry[] {
  const entries: HtpasswdEntry[] = []
  text.split('\n').forEach((line, index) => {
    const trimmed = line.trim()
    if (trimmed !== '' && !trimmed.startsWith('#')) entries.push(parseLine(trimmed, index + 1))
  })
  return entries
}

/** The password of a name; the first line counts, and lines that cannot be taken are passed over. */
export function findInHtpasswd(text: string, name: AccountName): BcryptPassword | undefined {
  for (const line of text.split('\n')) {
    const [found = '', hash = ''] = line.trim().split(':')
    if (found.normalize('NFC') !== name) continue
    return bcryptHash.test(hash) ? { kind: 'bcrypt', hash } : undefined
  }
  return undefined
}

function parseLine(text: string, line: number): HtpasswdEntry {
  const [name = '', hash = '', ...info] = text.split(':')
  if (!bcryptHash.test(hash)) {
    const wanted = 'a name, ":" and a bcrypt password ($2a$, $2b$ or $2y$, cost 4 to 15)'
    throw new AppError('import-refused', `Line ${line} is not ${wanted}`, { line })
  }
  try {
    const password = { kind: 'bcrypt', hash } as const
    return { name: parseAccountName(name), password, info: parseInfo(info.join(':')) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new AppError('import-refused', `Line ${line}: ${error.message}`, { line }, error)
  }
}
