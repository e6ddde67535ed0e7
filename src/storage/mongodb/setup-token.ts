/** The one-time token of first use, in a collection that only those who may read the database see. */
import { AppError } from '../../domain/app-error.ts'
import type { SetupToken } from '../../domain/setup.ts'
import { randomSecret } from '../../kit/secret.ts'
import type { Connection } from './connection.ts'

export function createMongoSetupToken(connection: Connection): SetupToken {
  return {
    place: 'the collection "apie_setup" of the database',
    async make() {
      const made = await connection.change(({ setups }) =>
        setups.findOneAndUpdate(
          { _id: 'token' },
          { $setOnInsert: { token: randomSecret() } },
          { upsert: true, returnDocument: 'after' },
        ),
      )
      if (made) return made.token
      throw new AppError('storage-unavailable', 'The token of the set-up was just removed')
    },
    async remove() {
      const removed = connection.change(({ setups }) => setups.deleteOne({ _id: 'token' }))
      await removed.catch(() => undefined)
    },
  }
}
