import type { SetupToken } from '../../domain/setup.ts'
import { randomSecret } from '../../kit/secret.ts'

/** A token that nobody outside the process can read: a store in memory has no folder to put it in. */
export function createMemorySetupToken(): SetupToken {
  let token: string | undefined
  return {
    place:
      'the memory of the program, where nobody can read it; set your own with the setting setupToken',
    make: async () => {
      token ??= randomSecret()
      return token
    },
    remove: () => {
      token = undefined
    },
  }
}
