/** What `apie doctor` finds out about a store in a database: whether it answers, and holds the tables it should. */
import { AppError, type ErrorCode } from '../../domain/app-error.ts'
import { DatabaseFailure } from '../../kit/database-failure.ts'
import type { CommandServices } from '../command.ts'
import { type Check, ok, problem } from './check.ts'

const FIXES: Partial<Readonly<Record<ErrorCode, string>>> = {
  'format-unknown': 'Run "apie migrate", with the newest version of the program.',
  'bad-setting': 'Write `store` (APIE_STORE) as docs/engines.md shows.',
}
const UNREACHED =
  'Compare host, port, user, password and TLS in `store` (APIE_STORE) with what the database expects.'

export async function checkDatabase(
  { openStore }: Pick<CommandServices, 'openStore'>,
  engine: string,
): Promise<readonly Check[]> {
  try {
    const store = await openStore('existing')
    try {
      const { count } = await store.log.head()
      return [ok('database', `${engine}: answers, and its log has ${count} events`)]
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const where = error.cause instanceof DatabaseFailure ? ` (${error.cause.message})` : ''
    return [problem('database', `${error.message}${where}`, FIXES[error.code] ?? UNREACHED)]
  }
}
