/**
 * Every path in a data folder. `docs/disk-format.md` describes what the files hold.
 *
 *     format               JSON: version of the format, id of the store
 *     log/00000001.log     the events: one line a commit, the only truth
 *     index/               derived from the log: head, entries, keys, heads
 *     records/             a second, private log with its index: state that is not fact; records/n/ its successors
 *     content/ab/ab….blob  a stored blob, with ab….json about it
 *     locks/  tmp/         lock folders and owner records; files not yet in place
 *     .htaccess            denies everything, wherever the folder stands
 */
import { join } from 'node:path'

/** Version of the format that this program writes. */
export const FORMAT_VERSION = 1

/** Files of one log: that of the events, or that of the records. */
export type LogLayout = {
  readonly segments: string
  readonly index: string
  /** Folder that stands while the log is locked. */
  readonly lock: string
  readonly owner: string
  readonly temporary: string
}

export type Layout = {
  readonly root: string
  readonly format: string
  readonly denyAll: string
  readonly events: LogLayout
  readonly records: LogLayout
  readonly recordsFolder: string
  readonly content: string
  readonly temporary: string
  readonly locks: string
  /** Counters of failed sign-ins. */
  readonly attempts: string
  /** One-time token of the set-up page. */
  readonly setupToken: string
}

export function layoutOf(root: string): Layout {
  const temporary = join(root, 'tmp')
  const locks = join(root, 'locks')
  return {
    root,
    format: join(root, 'format'),
    denyAll: join(root, '.htaccess'),
    events: {
      segments: join(root, 'log'),
      index: join(root, 'index'),
      lock: join(locks, 'log.lock'),
      owner: join(locks, 'log.owner'),
      temporary,
    },
    recordsFolder: join(root, 'records'),
    records: {
      segments: join(root, 'records', 'log'),
      index: join(root, 'records', 'index'),
      lock: join(locks, 'records.lock'),
      owner: join(locks, 'records.owner'),
      temporary,
    },
    content: join(root, 'content'),
    temporary,
    locks,
    attempts: join(root, 'attempts'),
    setupToken: join(root, 'setup-token'),
  }
}

/** The log of the n-th generation of records, counted from 0. */
export function recordLayout({ records, recordsFolder }: Layout, generation: number): LogLayout {
  if (generation === 0) return records
  const folder = generationFolder({ recordsFolder }, generation)
  return {
    segments: join(folder, 'log'),
    index: join(folder, 'index'),
    lock: join(folder, 'lock'),
    owner: join(folder, 'owner'),
    temporary: records.temporary,
  }
}

type RecordsFolder = Pick<Layout, 'recordsFolder'>

/** The folder of a generation of records; of the first one the parts stand in `recordsFolder` itself. */
export const generationFolder = ({ recordsFolder }: RecordsFolder, generation: number): string =>
  join(recordsFolder, String(generation))

/** An empty file, there once a generation is in use. */
export const begunPath = (layout: RecordsFolder, generation: number): string =>
  join(generationFolder(layout, generation), 'begun')

/** Name of the n-th file of a log, counted from 1. */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.log`
}
