/**
 * `apie doctor`: looks at an installation and says in plain words what to fix. It works without a data
 * folder and changes nothing but a probe that it removes: files in the folder, a record in a database.
 */
import { statSync } from 'node:fs'
import type { Settings } from '../../settings.ts'
import { type CommandCall, EXIT } from '../command.ts'
import { firstLine } from '../first-line.ts'
import { usage } from '../usage.ts'
import { type Check, problem, skipped, warning } from './check.ts'
import { checkDataFiles } from './data-files.ts'
import { checkDataFolder, nearestExisting } from './data-folder.ts'
import { checkDurability } from './durability.ts'
import { checkExecutable } from './executable.ts'
import { checkFileSystem, fileSystemOf } from './file-system.ts'
import { checkLimits } from './limits.ts'
import { checkEnvironment, checkSettingFiles } from './settings.ts'
import { checkDatabase, checkStore } from './store.ts'
import { type Account, checkWeb } from './web.ts'

/** Checks that belong together, under a heading. */
type Group = { readonly title: string; readonly checks: readonly Check[] }

export async function runDoctor(call: CommandCall): Promise<number> {
  const groups = await examine(call)
  const isHealthy = groups.every(({ checks }) => checks.every((c) => c.verdict !== 'problem'))
  await call.terminal.out(call.options['json'] ? json(groups, isHealthy) : text(groups, isHealthy))
  return isHealthy ? EXIT.ok : EXIT.failed
}

async function examine(call: CommandCall): Promise<Group[]> {
  const url = call.options['url']
  if (typeof url === 'string' && !/^https?:\/\/[^/]/.test(url)) {
    throw usage('--url must begin with http:// or https://')
  }
  const limits = checkLimits()
  const settings = readOrRefused(call)
  const program = checkExecutable(call.services.programPath, workingUser(settings))
  const isRefused = 'verdict' in settings
  const data = isRefused ? [settings] : await checkData(call, settings)
  // Looked at with the rights that requests have, as most of the data is.
  const files = isRefused ? [] : checkSettingFiles(settings)
  const groups: Group[] = [
    { title: 'Program', checks: program },
    { title: 'Settings', checks: [...checkEnvironment(call.services.environment), ...files] },
    { title: 'Limits', checks: limits },
    { title: 'Data', checks: data },
  ]
  if (typeof url === 'string') {
    groups.push({ title: 'Web server', checks: await checkWeb(url, await accountOf(call)) })
  }
  return groups
}

/** As whom the program will work: for root that is the owner of the data folder; see `program-user.ts`. */
function workingUser(settings: Settings | Check): number {
  const uid = process.getuid?.() ?? 0
  if (uid !== 0 || 'verdict' in settings || !settings.store.startsWith('file:')) return uid
  return statSync(nearestExisting(settings.store.slice('file:'.length))).uid
}

function readOrRefused({ services }: CommandCall): Settings | Check {
  try {
    return services.settings()
  } catch (error) {
    return problem('settings', (error as Error).message, 'See docs/command-line.md, "Settings".')
  }
}

/** The files are looked at with the rights that the call has, all else as the owner of the folder. */
async function checkData(call: CommandCall, settings: Settings): Promise<readonly Check[]> {
  const [engine = ''] = settings.store.split(':')
  if (engine === 'memory') return [IN_MEMORY]
  if (engine !== 'file') return checkDatabase(call.services, engine)
  const folder = settings.store.slice('file:'.length)
  if (await call.services.isForeignFolder(folder)) return foreignFolder(folder)
  const existing = nearestExisting(folder)
  const files = isFolder(folder) ? checkDataFiles(folder) : []
  await call.services.workAsOwner()
  const uid = process.getuid?.() ?? 0
  return [
    ...checkDataFolder(folder, uid, settings.allowUnsafeData),
    ...(isFolder(folder) ? await checkStore(call.services, folder, settings) : []),
    ...files,
    ...checkDurability(existing, Date.now),
    ...checkFileSystem(fileSystemOf(existing), folder),
  ]
}

const IN_MEMORY = warning(
  'store',
  'in memory: everything is gone when the program ends, under CGI with each request',
  'Set `store` (APIE_STORE) as docs/engines.md shows, or leave it out for flat files.',
)

/** What helps a data folder (`chmod -R`, `chown -R`) ruins a folder of something else, such as `/etc`. */
const foreignFolder = (folder: string): Check[] => [
  problem(
    'data folder',
    `${folder} holds files of something else`,
    'Set `data` (APIE_DATA) to an empty or a new folder.',
  ),
  skipped('store', 'the right folder comes first; nothing was tried in this one'),
]

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

async function accountOf(call: CommandCall): Promise<Account | undefined> {
  const name = call.options['user']
  if (typeof name !== 'string') return undefined
  if (!call.options['password-stdin']) throw usage('--user needs --password-stdin')
  return { name, password: firstLine(await call.terminal.input()) }
}

function json(groups: readonly Group[], isHealthy: boolean): string {
  const checks = groups.flatMap(({ title, checks: list }) =>
    list.map((check) => ({ group: title, ...check })),
  )
  return `${JSON.stringify({ healthy: isHealthy, checks })}\n`
}

const SIGNS = { ok: 'ok     ', warning: 'warning', problem: 'PROBLEM', skipped: 'skipped' } as const

function text(groups: readonly Group[], isHealthy: boolean): string {
  const lines: string[] = []
  for (const { title, checks } of groups) {
    lines.push(title)
    for (const { name, verdict, message, fix } of checks) {
      lines.push(`  ${SIGNS[verdict]}  ${name}: ${message}`)
      if (fix !== undefined) lines.push(`           ${fix}`)
    }
    lines.push('')
  }
  lines.push(isHealthy ? 'Nothing must be fixed.' : 'Fix what is marked PROBLEM, then ask again.')
  return `${lines.join('\n')}\n`
}
