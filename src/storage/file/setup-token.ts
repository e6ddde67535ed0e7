/** The one-time token of the set-up page: a file of one line in the data folder, made by one process only. */
import { AppError } from '../../domain/app-error.ts'
import { LEAST_TOKEN_LENGTH, type SetupToken } from '../../domain/setup.ts'
import { randomSecret } from '../../kit/secret.ts'
import type { Disk } from './disk.ts'
import { discard, publishNew } from './durable-write.ts'
import type { Layout } from './layout.ts'
import { readWhole } from './read-whole.ts'

export function createFileSetupToken(
  disk: Disk,
  { setupToken, temporary }: Pick<Layout, 'setupToken' | 'temporary'>,
): SetupToken {
  const read = () => readWhole(disk, setupToken)?.toString('utf8').trim()
  return {
    place: 'the file "setup-token" of the data folder',
    async make() {
      const known = read()
      if (known !== undefined) return usable(known)
      await publishNew(disk, temporary, setupToken, Buffer.from(`${randomSecret()}\n`))
      return usable(read() ?? '')
    },
    remove: () => discard(disk, setupToken),
  }
}

/** An empty file, as a failed upload leaves it, must not become a token that anybody knows. */
function usable(token: string): string {
  if (token.length >= LEAST_TOKEN_LENGTH) return token
  throw new AppError('storage-unavailable', 'The file "setup-token" is too short: delete it')
}
