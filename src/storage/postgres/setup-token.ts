/** The one-time token of first use, in a table that only those who may read the database see. */
import { AppError } from '../../domain/app-error.ts'
import type { SetupToken } from '../../domain/setup.ts'
import { randomSecret } from '../../kit/secret.ts'
import type { Connection, Statement } from './connection.ts'

const READ: Statement = { name: 'read-token', text: 'SELECT token FROM apie_setup ORDER BY id' }
const MAKE: Statement = {
  name: 'make-token',
  text: 'INSERT INTO apie_setup VALUES (1, $1::text) ON CONFLICT DO NOTHING',
}
const REMOVE: Statement = { name: 'remove-token', text: 'DELETE FROM apie_setup' }

export function createPostgresSetupToken({ read, change }: Connection): SetupToken {
  const find = async () => {
    const [row] = await read(READ)
    return row && String(row['token'])
  }
  return {
    place: 'the table "apie_setup" of the database',
    async make() {
      const found = await find()
      if (found !== undefined) return found
      await change(MAKE, [randomSecret()])
      const made = await find()
      if (made !== undefined) return made
      throw new AppError('storage-unavailable', 'The token of the set-up was just removed')
    },
    async remove() {
      await change(REMOVE).catch(() => undefined)
    },
  }
}
