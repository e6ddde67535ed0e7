/**
 * Where the program finds its settings file and, without a setting, its data folder. Paths only: nothing
 * is opened here but the settings file, through the `Disk` that is passed in.
 */
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { readSettings, type SettingSources } from './config.ts'
import { AppError } from './domain/app-error.ts'
import { documentRootIn } from './kit/document-root.ts'
import type { SettingName, Settings } from './settings.ts'
import type { Disk } from './storage/file/disk.ts'

export type ProgramFiles = {
  /** The executable, or the script where the sources run as they are. */
  readonly programPath: string
  /** The `#!` file that named the program as its interpreter, if one did. */
  readonly stubPath?: string
}

/**
 * The program's own path and its words, from `process.argv`: an executable made of one file repeats its
 * name where Node has the path of the script.
 */
export function programPathOf(execPath: string, argv: readonly string[]): string {
  const script = argv[1] ?? ''
  return /\.[cm]?[jt]s$/.test(script) ? resolve(script) : execPath
}

/** The name that the program was called by, from `process.argv0`; links to it have names of their own. */
export function programNameOf(argv0: string): string {
  return basename(argv0)
}

/**
 * The stub that a CGI request came through. The web server makes further words of the query, so one
 * counts only where it is the file that `SCRIPT_FILENAME` names.
 */
export function stubPathOf(
  word: string | undefined,
  scriptFilename: string | undefined,
): string | undefined {
  if (word === undefined || scriptFilename === undefined || scriptFilename === '') return undefined
  return basename(word) === basename(scriptFilename) ? scriptFilename : undefined
}

type LoadRequest = {
  readonly files: ProgramFiles
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly options?: SettingSources['options']
  /** The folder that relative paths count from; asked for only where there is one. */
  readonly folder: () => string
  readonly disk: Pick<Disk, 'readText' | 'status'>
}

/** Settings that name files. */
const PATHS: readonly SettingName[] = ['data', 'htpasswd', 'logFile']
const FILE = 'file:'

/**
 * Reads the settings; every path in them is absolute and `data` and `store` are never empty.
 * @throws AppError `bad-setting`
 */
export function loadSettings(request: LoadRequest): Settings {
  const { files, environment, options, folder } = request
  if (options?.data === '') {
    // A variable of a script that is not set must not end in work on another folder.
    throw new AppError('bad-setting', 'The option for "data" is empty', { setting: 'data' })
  }
  const file = readSettingsFile(request)
  const settings = readSettings({
    ...(file && { file: { name: basename(file.path), text: file.text, placed: inFolderOf(file) } }),
    environment,
    ...(options ? { options } : {}),
  })
  const here = (name: SettingName) => placed(name, String(settings[name]), folder)
  const paths = Object.fromEntries(PATHS.map((name) => [name, here(name)]))
  const data = paths['data'] || defaultDataFolder(files.stubPath ?? files.programPath, request.disk)
  const store = here('store') || `${FILE}${data}`
  if (store === FILE) {
    const message = 'store: "file:" needs a folder, as in "file:/srv/apie-data"'
    throw new AppError('bad-setting', message, { setting: 'store' })
  }
  if (store !== `${FILE}${data}`) refuseBoth(request)
  return Object.freeze({ ...settings, ...paths, data, store })
}

/**
 * Work on another store than the one that was named must not look like work on that one. Where both are named in one
 * place, the folder may be left over from before there was a database: the store is meant.
 * @throws AppError `bad-setting`
 */
function refuseBoth({ environment, options }: LoadRequest): void {
  if (options?.store !== undefined) return
  const isOverruled = environment['APIE_DATA'] && !environment['APIE_STORE']
  let what = isOverruled ? 'APIE_DATA' : undefined
  if (options?.data !== undefined) what = 'The option --data'
  if (what === undefined) return
  const message = `${what} names a data folder, but the setting "store" names another store; leave out the first, or set APIE_STORE to file: and the folder`
  throw new AppError('bad-setting', message, { setting: 'store' })
}

const inFolderOf =
  ({ path }: { readonly path: string }) =>
  (name: SettingName, value: string) =>
    placed(name, value, () => dirname(path))

/** The value of a setting, with the path in it absolute where it counts from a folder. */
function placed(name: SettingName, value: string, folder: () => string): string {
  if (name === 'store' && value.startsWith(FILE)) {
    return `${FILE}${absolute(value.slice(FILE.length), folder)}`
  }
  return PATHS.includes(name) ? absolute(value, folder) : value
}

function absolute(path: string, folder: () => string): string {
  return path === '' || isAbsolute(path) ? path : resolve(folder(), path)
}

/** @throws AppError `bad-setting` where somebody has removed the folder that the program was started in */
export function workingFolder(): string {
  try {
    return process.cwd()
  } catch (error) {
    const message =
      'The working directory is gone: change to another one, or name every path in full'
    throw new AppError('bad-setting', message, {}, error)
  }
}

function readSettingsFile({ files, environment, disk, folder }: LoadRequest) {
  const named = environment['APIE_CONFIG']
  if (files.stubPath !== undefined) {
    const text = readStub(files.stubPath, disk)
    if (text !== undefined) return { path: files.stubPath, text }
  }
  const path = named ? absolute(named, folder) : join(dirname(files.programPath), 'apie.json')
  const text = readText(path, named ? 'APIE_CONFIG' : '', disk)
  if (text === undefined && named) {
    const message = `APIE_CONFIG: there is no file ${path}`
    throw new AppError('bad-setting', message, { setting: 'APIE_CONFIG' })
  }
  return text === undefined ? undefined : { path, text }
}

/**
 * What the disk says of a file that it cannot read would pass for a failure of the data folder.
 * @throws AppError `bad-setting`
 */
function readText(path: string, setting: string, disk: LoadRequest['disk']): string | undefined {
  try {
    return disk.readText(path)
  } catch (error) {
    const osCode = error instanceof AppError ? error.facts['osCode'] : undefined
    const reason = osCode === 'EISDIR' ? 'a folder' : (osCode ?? 'no reason')
    const by = setting === '' ? '' : `${setting}: `
    const message = `${by}the settings file ${path} cannot be read (${reason})`
    throw new AppError('bad-setting', message, { setting }, error)
  }
}

/** Larger files are no stub: the executable itself must not be read for a query that names it. */
const MOST_STUB_BYTES = 65_536

function readStub(path: string, disk: LoadRequest['disk']): string | undefined {
  const status = disk.status(path)
  if (status?.kind === 'link') {
    throw new AppError('bad-setting', 'The `#!` file must not be a symbolic link', {
      setting: '',
    })
  }
  if (status === undefined || status.size > MOST_STUB_BYTES) return undefined
  const text = readText(path, '', disk)
  return text?.startsWith('#!') ? text : undefined
}

/**
 * The data folder of a program file `…/FOLDER/apie` without a setting; by its path alone, so that a
 * request and the command line find the same one. The first rule that fits:
 *
 * 1. below a folder that by its name is a document root (`public_html`, `htdocs`, `www`, …): `apie-data`
 *    beside the topmost one;
 * 2. FOLDER is `cgi-bin`: the folder that holds it may itself be a document root; `apie-data` beside that
 *    one, or in it where its parent belongs to another user than the program file;
 * 3. else `apie-data` beside FOLDER.
 */
export function defaultDataFolder(programFile: string, disk: Pick<Disk, 'status'>): string {
  const folder = dirname(programFile)
  const root = documentRootIn(folder)
  if (root !== undefined) return join(dirname(root), 'apie-data')
  const site = dirname(folder)
  if (basename(folder) !== 'cgi-bin') return join(site, 'apie-data')
  const above = dirname(site)
  const isOwn = disk.status(above)?.uid === disk.status(programFile)?.uid
  return join(isOwn ? above : site, 'apie-data')
}
