/** What is done with accounts. Signing in is `sign-in.ts`. */
import { memberOf } from './access.ts'
import {
  type Account,
  type AccountName,
  parseAccountName,
  parseFullName,
  parseInfo,
  type Role,
  toAccountName,
} from './account.ts'
import { createAccountRecords } from './account-records.ts'
import { AppError } from './app-error.ts'
import { parseHtpasswd } from './htpasswd.ts'
import {
  type BcryptPassword,
  isGenerated,
  isStretched,
  makePassword,
  type PasswordChoice,
  type PasswordHasher,
} from './password.ts'
import type { Clock, RecordEngine } from './ports.ts'

export type AccountsParts = {
  readonly records: RecordEngine
  readonly clock: Clock
  readonly hasher: PasswordHasher
}

export type NewAccount = {
  readonly name: string
  readonly role: Role
  readonly password: PasswordChoice
  readonly info?: string
  readonly fullName?: string
  /** As in `Account`. */
  readonly groups?: readonly string[]
}

/** Names that were taken over, and names that were there before and stay as they are. */
export type ImportedAccounts = {
  readonly added: readonly AccountName[]
  readonly kept: readonly AccountName[]
}

export type Accounts = {
  find(name: string): Promise<Account | undefined>
  /** By name. */
  list(): Promise<readonly Account[]>
  hasAny(): Promise<boolean>
  /**
   * @returns the password where it was generated: it is known to nobody else from here on
   * @throws AppError `account-exists`, `bad-name`, `bad-field`
   */
  add(account: NewAccount): Promise<string | undefined>
  /**
   * The first admin of a store without accounts; of several callers at once one makes it.
   * @returns `undefined` where there is an account already
   */
  addFirstAdmin(
    account: Omit<NewAccount, 'role'>,
  ): Promise<{ readonly generated?: string } | undefined>
  /** Like `add`. @throws AppError `account-not-found`, `bad-field` */
  changePassword(name: string, choice: PasswordChoice): Promise<string | undefined>
  /** @throws AppError `account-not-found`, `last-admin` */
  changeRole(name: string, role: Role): Promise<void>
  /** Puts it into these groups, `$admins` among them or not. @throws AppError as `changeRole`, `bad-field` */
  describe(
    name: string,
    about: { readonly fullName: string; readonly groups: readonly string[] },
  ): Promise<void>
  /** @throws AppError `account-not-found`, `last-admin` */
  changeDisabled(name: string, isDisabled: boolean): Promise<void>
  /** Whether this is the password of an account; costs what signing in costs, and is not throttled. */
  isPassword(account: Account, password: string): Promise<boolean>
  /** What an account changes about itself. @throws AppError `account-not-found`, `bad-field` */
  update(
    name: string,
    changes: { readonly password?: string; readonly info?: string },
  ): Promise<void>
  /** @throws AppError `account-not-found`, `last-admin` */
  remove(name: string): Promise<void>
  /** Takes over the lines of an htpasswd or `passwd` file. @throws AppError `import-refused`: nothing was */
  import(text: string, role: Role): Promise<ImportedAccounts>
  /** Replaces an imported password, which its owner has just shown to know, with a stronger hash of it. */
  strengthen(account: Account, from: BcryptPassword, password: string): Promise<void>
}

export function createAccounts({ records, clock, hasher }: AccountsParts): Accounts {
  const kept = createAccountRecords(records)
  const changeSilently = (name: string, next: (now: Account) => Account | undefined) =>
    kept.change(parseAccountName(name), (now) => {
      if (now) return next(now)
      throw new AppError('account-not-found', 'There is no account of this name', { name })
    })
  const change = (name: string, next: (now: Account) => Account | undefined) =>
    changeSilently(name, (now) => {
      const changed = next(now)
      return changed && { ...changed, updatedAtMs: clock.now() }
    })
  const draft = async ({ name, role, password, info = '', fullName, groups }: NewAccount) => {
    const about = {
      name: parseAccountName(name),
      role,
      info: parseInfo(info),
      ...(fullName !== undefined && { fullName: parseFullName(fullName) }),
      ...(groups && { groups }),
    }
    const { stored, generated } = await makePassword(password, hasher)
    return { account: { ...about, password: stored, createdAtMs: clock.now() }, generated }
  }
  const insert = (account: Account) =>
    kept.change(account.name, (now) => {
      if (!now) return account
      const { name } = account
      throw new AppError('account-exists', 'There is an account of this name already', { name })
    })
  return {
    async find(text) {
      const name = toAccountName(text)
      return name && kept.find(name)
    },
    list: kept.list,
    hasAny: kept.hasAny,
    async add(wanted) {
      const { account, generated } = await draft(wanted)
      await insert(account)
      return generated
    },
    async addFirstAdmin(wanted) {
      const { account, generated } = await draft({ ...wanted, role: 'admin' })
      if ((await kept.hasAny()) || !(await kept.addFirstAdmin(account))) return undefined
      return generated === undefined ? {} : { generated }
    },
    async changePassword(name, choice) {
      const { stored, generated } = await makePassword(choice, hasher)
      await change(name, (now) => ({ ...now, password: stored }))
      return generated
    },
    changeRole: (name, role) => change(name, (now) => ({ ...now, role })),
    async describe(name, about) {
      const fullName = parseFullName(about.fullName)
      await change(name, (now) => ({ ...now, fullName, ...memberOf(about.groups, now.role) }))
    },
    changeDisabled: (name, isDisabled) => change(name, (now) => ({ ...now, isDisabled })),
    async isPassword({ password: stored }, text) {
      const password = text.normalize('NFC')
      return isGenerated(password, stored) || isStretched(password, stored, hasher)
    },
    async update(name, changes) {
      const info = changes.info === undefined ? undefined : parseInfo(changes.info)
      const { password: chosen } = changes
      const password =
        chosen === undefined
          ? undefined
          : (await makePassword({ kind: 'chosen', password: chosen }, hasher)).stored
      await change(name, (now) => ({
        ...now,
        ...(password && { password }),
        ...(info !== undefined && { info }),
      }))
    },
    remove: (name) => change(name, () => undefined),
    async import(text, role) {
      const entries = parseHtpasswd(text)
      const names = { added: [] as AccountName[], kept: [] as AccountName[] }
      for (const entry of entries) {
        const isThere = (await kept.find(entry.name)) !== undefined
        if (!isThere) await insert({ ...entry, role, createdAtMs: clock.now() })
        names[isThere ? 'kept' : 'added'].push(entry.name)
      }
      return names
    },
    async strengthen(account, from, password) {
      const stored = await hasher.scrypt(password)
      await changeSilently(account.name, (now) => {
        const isSame = now.password.kind === 'bcrypt' && now.password.hash === from.hash
        return isSame ? { ...now, password: stored } : now
      })
    },
  }
}
