/**
 * First use: as long as there is no account, whoever can read the data folder, or the database, may make the
 * first admin. That is shown by a one-time token, which stands there.
 */
import { isSameSecret } from '../kit/secret.ts'
import type { Accounts } from './accounts.ts'
import { AppError } from './app-error.ts'
import type { PasswordChoice } from './password.ts'

/** The one-time token, where only the owner of the store can read it. */
export type SetupToken = {
  /** Where it stands, in words that anybody may read: no path, no address. */
  readonly place: string
  /** The token; made where there is none yet. @throws AppError `storage-…` */
  make(): Promise<string>
  /** Never fails: a token that stays opens nothing once there is an account. */
  remove(): void | Promise<void>
}

/** Fewest characters of a token: a guess must be hopeless. */
export const LEAST_TOKEN_LENGTH = 20

/**
 * The token that the owner of the program has chosen, in place of the one that `own` would make. The table of
 * settings says how long it is at least.
 */
export function chosenToken(text: string, own: SetupToken): SetupToken {
  return { place: 'the setting setupToken', make: async () => text, remove: () => own.remove() }
}

export type FirstAdmin = {
  readonly token: string
  readonly name: string
  readonly password: PasswordChoice
}

export type Setup = {
  /** Where the token stands. */
  readonly tokenPlace: string
  /** Whether the first admin is still to be made; then there is a token. */
  isOpen(): Promise<boolean>
  /**
   * @returns `undefined` where set-up is over; `generated` where the password was made here
   * @throws AppError `setup-token-wrong`, `bad-name`, `bad-field`
   */
  complete(wanted: FirstAdmin): Promise<{ readonly generated?: string } | undefined>
}

export function createSetup(
  accounts: Pick<Accounts, 'hasAny' | 'addFirstAdmin'>,
  token: SetupToken,
): Setup {
  return {
    tokenPlace: token.place,
    async isOpen() {
      if (await accounts.hasAny()) return false
      await token.make()
      return true
    },
    async complete({ token: shown, name, password }) {
      const isRight = isSameSecret(shown.trim(), await token.make())
      const isOver = await accounts.hasAny()
      if (!isRight && !isOver) {
        throw new AppError(
          'setup-token-wrong',
          `This is not the token that stands in ${token.place}`,
        )
      }
      const made = isOver ? undefined : await accounts.addFirstAdmin({ name, password })
      // Also where another one was faster: asking for the token may have made it anew.
      await token.remove()
      return made
    },
  }
}
