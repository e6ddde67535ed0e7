/**
 * The data folder as a whole: making it on first use, and refusing one that is unknown or open to others.
 * What stands in its sub-folders belongs to the engines; the paths are in `layout.ts`.
 */
import { dirname, join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { Clock } from '../../domain/ports.ts'
import { randomHex } from '../../kit/random.ts'
import type { Disk } from './disk.ts'
import { publishNew } from './durable-write.ts'
import { FORMAT_VERSION, type Layout, layoutOf } from './layout.ts'
import { readWhole } from './read-whole.ts'

export type OpenFolder = {
  readonly layout: Layout
  /** 32 hex digits, the same for as long as the folder lives. */
  readonly storeId: string
  readonly format: number
}

export type FolderOptions = {
  /** Whether a folder without a store becomes one. Without it nothing is written. */
  readonly create: boolean
  /** Whether a folder that other users of the machine can read or write is good enough. */
  readonly allowUnsafe: boolean
  readonly clock: Clock
}

type Format = { readonly storeId: string; readonly format: number }

// Each block is understood by one of Apache 2.2 and 2.4; a server that knows neither directive answers 500.
const DENY_ALL = `# Nothing in this folder is for the web.
<IfModule mod_authz_core.c>
  Require all denied
</IfModule>
<IfModule !mod_authz_core.c>
  Order deny,allow
  Deny from all
</IfModule>
`

/**
 * Opens the data folder at `root` with one look at the folder and one small read. Where the last part of
 * the path is a symbolic link, the folder behind it is opened and judged: whoever can plant that link
 * could replace the folder as well. No link inside the folder is followed.
 * @returns `undefined` where there is no store and `create` is false
 * @throws AppError `format-unknown`, `data-folder-unsafe`, `storage-read-only`, `storage-full`,
 * `storage-unavailable`
 */
export async function openFolder(
  disk: Disk,
  root: string,
  options: FolderOptions,
): Promise<OpenFolder | undefined> {
  const layout = layoutOf(root)
  if (!isThere(disk, layout, options) && !options.create) return undefined
  const format =
    readFormat(disk, layout) ??
    (options.create ? await makeStore(disk, layout, options) : findStore(disk, layout))
  return format && { layout, ...format }
}

/** Looks again where no store was found. @throws AppError where the folder cannot become one */
function findStore(disk: Disk, layout: Layout): Format | undefined {
  const problem = findForeign(disk, layout)
  // Asked again behind the look: another process may have finished, and written events, in between.
  const known = readFormat(disk, layout)
  if (!known && problem) throw problem
  return known
}

/** Makes the sub-folders that are missing, each with mode 0700. */
function makeFolders(disk: Disk, layout: Layout): void {
  const { events, records } = layout
  const folders = [layout.temporary, layout.locks, layout.content]
  folders.push(events.segments, events.index, dirname(records.segments))
  folders.push(records.segments, records.index)
  for (const folder of folders) disk.makeFolder(folder)
}

/** @throws AppError where the root is no folder, or one that is open to others */
function isThere(disk: Disk, layout: Layout, options: FolderOptions): boolean {
  // The status of a path does not follow links; the dot asks for the folder behind one.
  const status = disk.status(`${layout.root}/.`)
  if (status === undefined) return false
  const mode = (status.mode & 0o777).toString(8).padStart(4, '0')
  if ((status.mode & 0o066) !== 0 && !options.allowUnsafe) {
    // Whoever names a folder of something else by mistake must not be told to close it.
    const foreign = disk.status(layout.format) ? undefined : findForeign(disk, layout)
    if (foreign) throw foreign
    throw new AppError(
      'data-folder-unsafe',
      `Other users of this machine can read or write the data folder (mode ${mode}): run chmod 700 on it, or allow it in the settings`,
      { mode },
    )
  }
  return true
}

function readFormat(disk: Disk, layout: Layout): Format | undefined {
  const text = readWhole(disk, layout.format)?.toString('utf8')
  if (text === undefined) return undefined
  const { format, storeId } = parseObject(text)
  if (typeof format === 'number' && format !== FORMAT_VERSION) {
    throw new AppError(
      'format-unknown',
      `The data folder has format ${format}; this program knows format ${FORMAT_VERSION}`,
      { format, known: FORMAT_VERSION },
    )
  }
  if (format !== FORMAT_VERSION || typeof storeId !== 'string' || !/^[0-9a-f]{32}$/.test(storeId)) {
    throw new AppError(
      'format-unknown',
      'The file "format" of the data folder cannot be understood',
    )
  }
  return { format, storeId }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/**
 * Makes a store; several processes may do so at once, and a later one finishes what a killed one began:
 * 1. the folder itself; a crash leaves an empty folder
 * 2. folder for temporary files, then `.htaccess`: from here on nothing in it is served
 * 3. the other folders
 * 4. `format`, linked into place: the first process to link it gives the store its id
 */
async function makeStore(disk: Disk, layout: Layout, options: FolderOptions): Promise<Format> {
  await makeRoot(disk, layout.root)
  if (!isThere(disk, layout, options)) {
    throw new AppError('storage-unavailable', 'The data folder is not a folder')
  }
  const known = findStore(disk, layout)
  if (known) return known
  disk.makeFolder(layout.temporary)
  await publishNew(disk, layout.temporary, layout.denyAll, Buffer.from(DENY_ALL))
  makeFolders(disk, layout)
  await disk.syncFolder(dirname(layout.records.segments))
  const createdAt = new Date(options.clock.now()).toISOString()
  const text = JSON.stringify({ format: FORMAT_VERSION, storeId: randomHex(16), createdAt })
  await publishNew(disk, layout.temporary, layout.format, Buffer.from(`${text}\n`))
  const format = readFormat(disk, layout)
  if (!format) throw new AppError('storage-unavailable', 'The data folder was removed meanwhile')
  return format
}

/** Makes the folder and those above it that are missing. */
async function makeRoot(disk: Disk, root: string): Promise<void> {
  if (disk.status(root)) return
  const above = dirname(root)
  if (above !== root) await makeRoot(disk, above)
  if (!isMade(disk, root)) return
  try {
    await disk.syncFolder(above)
  } catch (error) {
    // One may be allowed to make a folder where one is not allowed to look.
    if (!(error instanceof AppError) || error.code !== 'storage-read-only') throw error
  }
}

function isMade(disk: Disk, root: string): boolean {
  try {
    return disk.makeFolder(root)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'storage-read-only') throw error
    const message =
      'The data folder is not there, and the user as whom the program runs may not make it; see "Without suEXEC" in docs/hosting.md'
    throw new AppError('storage-read-only', message, error.facts, error.cause)
  }
}

/** Whether opening would refuse this folder because it is one of something else; looks, and writes nothing. */
export function isOfSomethingElse(disk: Disk, root: string): boolean {
  const layout = layoutOf(root)
  try {
    if (disk.status(`${layout.root}/.`)?.kind !== 'folder' || disk.status(layout.format))
      return false
    return findForeign(disk, layout)?.code === 'data-folder-unsafe'
  } catch (error) {
    // What cannot be looked at is not known to be foreign.
    if (error instanceof AppError) return false
    throw error
  }
}

/**
 * A folder with other files in it is a mistake in the settings: denying everything in somebody's home
 * would take the whole web site down. Events without a `format` need the file back, not a new store id.
 */
function findForeign(disk: Disk, layout: Layout): AppError | undefined {
  const { events, records } = layout
  if ((disk.list(events.segments) ?? []).length > 0) {
    const message = 'The data folder holds events but its file "format" is gone'
    return new AppError('format-unknown', message)
  }
  const own = new Set([layout.temporary, layout.locks, layout.content, layout.denyAll])
  for (const path of [layout.format, layout.attempts, layout.setupToken]) own.add(path)
  for (const path of [events.segments, events.index, dirname(records.segments)]) own.add(path)
  own.add(join(layout.root, 'lost+found'))
  const isForeign = (name: string) => !own.has(join(layout.root, name))
  if (!(disk.list(layout.root) ?? []).some(isForeign)) return undefined
  const message = 'The data folder holds files of something else: name an empty or a new folder'
  return new AppError('data-folder-unsafe', message)
}
