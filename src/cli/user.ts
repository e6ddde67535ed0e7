/** `apie user`: the accounts of a store. A password that is made here goes to standard output alone. */
import fs from 'node:fs'
import { groupsOf } from '../domain/access.ts'
import { parseRole, type Role } from '../domain/account.ts'
import { type Accounts, createAccounts } from '../domain/accounts.ts'
import { AppError } from '../domain/app-error.ts'
import type { PasswordChoice } from '../domain/password.ts'
import { createPasswordHasher } from '../kit/password-hasher.ts'
import { type CommandCall, EXIT } from './command.ts'
import { counted } from './counted.ts'
import { firstLine } from './first-line.ts'
import { showPassword } from './show-password.ts'
import { usage } from './usage.ts'

const HINT = 'See "apie help user".'

type Action = {
  /** What stands after its name. */
  readonly word: 'NAME' | 'FILE' | undefined
  /** Whether it makes the store where there is none. */
  readonly makesStore: boolean
  /** Options that it takes besides those of every command. */
  readonly options: readonly string[]
  readonly run: (accounts: Accounts, word: string, call: CommandCall) => Promise<void>
}

const ACTIONS: Readonly<Record<string, Action>> = {
  add: {
    word: 'NAME',
    makesStore: true,
    options: ['role', 'password-stdin', 'generate'],
    run: userAdd,
  },
  list: { word: undefined, makesStore: false, options: ['json'], run: userList },
  passwd: {
    word: 'NAME',
    makesStore: false,
    options: ['password-stdin', 'generate'],
    run: userPasswd,
  },
  role: { word: 'NAME', makesStore: false, options: ['role'], run: userRole },
  remove: { word: 'NAME', makesStore: false, options: [], run: userRemove },
  import: { word: 'FILE', makesStore: true, options: ['role'], run: userImport },
}

export async function runUser(call: CommandCall): Promise<number> {
  const [name = '', word = ''] = call.words
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
  if (!action) {
    throw usage(`"apie user" does ${Object.keys(ACTIONS).join(', ')}, not "${name}"`, HINT)
  }
  checkCall(name, action, call)
  const store = await call.services.openStore(action.makesStore ? 'create' : 'existing')
  try {
    const hasher = createPasswordHasher('blocking')
    const clock = { now: () => Date.now() }
    await action.run(createAccounts({ records: store.records, clock, hasher }), word, call)
    return EXIT.ok
  } finally {
    await store.close()
  }
}

/** @throws AppError `usage` before anything is opened or made */
function checkCall(name: string, action: Action, call: CommandCall): void {
  if (!action.word && call.words.length > 1) {
    throw usage(`"apie user ${name}" does not take "${call.words[1]}"`, HINT)
  }
  for (const option of ['role', 'password-stdin', 'generate', 'json']) {
    if (call.options[option] !== undefined && !action.options.includes(option)) {
      throw usage(`"apie user ${name}" does not take --${option}`, HINT)
    }
  }
  const missing = missingIn(name, action, call)
  if (missing.length > 0) throw usage(`"apie user ${name}" needs ${listed(missing)}`, HINT)
  if (call.options['password-stdin'] && call.options['generate']) {
    throw usage(`"apie user ${name}" takes --password-stdin or --generate, not both`, HINT)
  }
  if (call.options['role'] !== undefined) roleOf(call)
}

/** What has to be said and was not, all at once. */
function missingIn(name: string, action: Action, { words, options }: CommandCall): string[] {
  const takes = (option: string) => action.options.includes(option)
  const hasPassword = options['password-stdin'] || options['generate']
  const isWithoutRole = takes('role') && name !== 'import' && options['role'] === undefined
  return [
    ...(action.word && words.length < 2 ? [`a ${action.word}`] : []),
    ...(isWithoutRole ? ['--role ROLE (reader, writer or admin)'] : []),
    ...(takes('generate') && !hasPassword ? ['one of --password-stdin and --generate'] : []),
  ]
}

const listed = (items: readonly string[]): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`

async function userAdd(accounts: Accounts, name: string, call: CommandCall): Promise<void> {
  const role = roleOf(call)
  const password = await accounts.add({ name, role, password: await choiceOf(call) })
  await call.terminal.err(`made the account ${name} with the role ${role}\n`)
  await showPassword(call, name, password)
}

async function userPasswd(accounts: Accounts, name: string, call: CommandCall): Promise<void> {
  const password = await accounts.changePassword(name, await choiceOf(call))
  await call.terminal.err(`changed the password of ${name}\n`)
  await showPassword(call, name, password)
}

async function userRole(accounts: Accounts, name: string, call: CommandCall): Promise<void> {
  const role = roleOf(call)
  await accounts.changeRole(name, role)
  await call.terminal.err(`${name} has the role ${role} now\n`)
}

async function userRemove(accounts: Accounts, name: string, call: CommandCall): Promise<void> {
  await accounts.remove(name)
  await call.terminal.err(`removed the account ${name}\n`)
}

async function userList(accounts: Accounts, _word: string, call: CommandCall): Promise<void> {
  const rows = (await accounts.list()).map((account) => ({
    name: account.name,
    role: account.role,
    groups: groupsOf(account),
    isDisabled: account.isDisabled ?? false,
    info: account.info,
    password: account.password.kind === 'scrypt' ? 'chosen' : account.password.kind,
    createdAt: new Date(account.createdAtMs).toISOString(),
  }))
  const text = rows.map(({ name, role, isDisabled, info }) =>
    `${role.padEnd(6)}  ${name}${isDisabled ? '  (disabled)' : ''}  ${info}`.trimEnd(),
  )
  const lines = text.map((line) => `${line}\n`).join('')
  await call.terminal.out(call.options['json'] ? `${JSON.stringify(rows)}\n` : lines)
}

async function userImport(accounts: Accounts, file: string, call: CommandCall): Promise<void> {
  const role = call.options['role'] === undefined ? 'writer' : roleOf(call)
  const text = file === '-' ? await call.terminal.input() : readFile(file)
  const { added, kept } = await accounts.import(text, role)
  for (const name of kept) await call.terminal.err(`left ${name} as it is: it was there already\n`)
  await call.terminal.err(`took over ${counted(added.length, 'accounts')} with the role ${role}\n`)
}

function roleOf({ options }: CommandCall): Role {
  try {
    return parseRole(String(options['role'] ?? ''))
  } catch (error) {
    if (error instanceof AppError) throw usage(`--${error.message}`, HINT)
    throw error
  }
}

async function choiceOf({ options, terminal }: CommandCall): Promise<PasswordChoice> {
  if (options['generate']) return { kind: 'generate' }
  return { kind: 'chosen', password: firstLine(await terminal.input()) }
}

function readFile(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'no reason'
    throw new AppError('import-refused', `The file cannot be read (${reason})`, {}, error)
  }
}
