/**
 * Where accounts are kept. Readers and writers have a record each; all admins stand in one record together,
 * so that one compare-and-set decides both who becomes the first admin and whether the last one may go.
 *
 * 1. The record of the admins, once made, always holds one who is not disabled: there is always somebody who
 *    can sign in and change the rest.
 * 2. An account that stands in both places is an admin: the record of the admins wins. A process killed
 *    between two writes leaves that, and the next change of the account clears it up.
 */
import type { Account, AccountName } from './account.ts'
import { AppError } from './app-error.ts'
import type { ExpectedRevision, RecordEngine } from './ports.ts'

const ACCOUNTS = 'account'
const ADMINS = 'account-admins'
const ALL = 'all'
/** So many others may get in between before a change gives up. */
const TRIES = 20

export type AccountRecords = {
  find(name: AccountName): Promise<Account | undefined>
  /** By name. */
  list(): Promise<readonly Account[]>
  hasAny(): Promise<boolean>
  /**
   * Replaces an account with what `next` makes of it; `undefined` is no account. `next` runs again where
   * somebody else was faster.
   * @throws AppError `last-admin`; what `next` throws
   */
  change(name: AccountName, next: (now: Account | undefined) => Account | undefined): Promise<void>
  /** False where somebody else made the first admin. */
  addFirstAdmin(account: Account): Promise<boolean>
}

/** Both places as one look found them. */
type Found = {
  readonly admins: readonly Account[]
  readonly adminsRevision: ExpectedRevision
  readonly own: Account | undefined
  readonly ownRevision: ExpectedRevision
}

export function createAccountRecords(records: RecordEngine): AccountRecords {
  const readAdmins = async () => {
    const record = await records.read(ADMINS, ALL)
    const admins = (record?.value ?? []) as readonly Account[]
    return { admins, adminsRevision: record?.revision ?? ('absent' as const) }
  }
  const look = async (name: AccountName): Promise<Found> => {
    const own = await records.read(ACCOUNTS, name)
    const ownRevision = own?.revision ?? 'absent'
    return { ...(await readAdmins()), own: own?.value as Account | undefined, ownRevision }
  }
  return {
    async find(name) {
      const { admins } = await readAdmins()
      const admin = admins.find((account) => account.name === name)
      return admin ?? ((await records.read(ACCOUNTS, name))?.value as Account | undefined)
    },
    async list() {
      const { admins } = await readAdmins()
      const names = new Set(admins.map(({ name }) => name))
      const others = (await records.list(ACCOUNTS)).map(({ value }) => value as Account)
      const all = [...admins, ...others.filter(({ name }) => !names.has(name))]
      return all.sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async hasAny() {
      const { admins } = await readAdmins()
      return admins.length > 0 || (await records.list(ACCOUNTS)).length > 0
    },
    async change(name, next) {
      for (let tries = 1; ; tries++) {
        const found = await look(name)
        const now = found.admins.find((account) => account.name === name) ?? found.own
        try {
          return await move(records, name, found, next(now))
        } catch (error) {
          if (!isConflict(error) || tries === TRIES) throw error
        }
      }
    },
    async addFirstAdmin(account) {
      try {
        await records.write(ADMINS, ALL, [account], 'absent')
        return true
      } catch (error) {
        if (isConflict(error)) return false
        throw error
      }
    },
  }
}

/** Writes the new place first and clears the old one behind it, so that the account is never gone. */
async function move(
  records: RecordEngine,
  name: AccountName,
  found: Found,
  next: Account | undefined,
): Promise<void> {
  const { admins, adminsRevision, ownRevision } = found
  const isAdmin = admins.some((account) => account.name === name)
  const others = admins.filter((account) => account.name !== name)
  const isLast = isAdmin && others.every(({ isDisabled }) => isDisabled)
  if (isLast && (next?.role !== 'admin' || next.isDisabled)) {
    throw new AppError('last-admin', 'This is the last admin: make another one first', { name })
  }
  if (next && next.role !== 'admin') await records.write(ACCOUNTS, name, next, ownRevision)
  if (next?.role === 'admin') {
    await records.write(ADMINS, ALL, replaced(admins, next), adminsRevision)
  }
  const isLeft = next === undefined || next.role === 'admin'
  if (isLeft && ownRevision !== 'absent') await records.remove(ACCOUNTS, name, ownRevision)
  if (isAdmin && next?.role !== 'admin') await records.write(ADMINS, ALL, others, adminsRevision)
}

function replaced(admins: readonly Account[], next: Account): readonly Account[] {
  const at = admins.findIndex(({ name }) => name === next.name)
  return at < 0 ? [...admins, next] : admins.with(at, next)
}

function isConflict(error: unknown): boolean {
  return error instanceof AppError && error.code === 'record-conflict'
}
