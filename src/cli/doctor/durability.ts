/** Do locks and syncs work where the data lies, how long do they take, and does the clock agree? */
import fs from 'node:fs'
import { join } from 'node:path'
import { type Check, ok, osCode, problem, skipped, warning } from './check.ts'
import { isFull } from './full-disk.ts'

const NO_SPACE = 'there is no space left'
const SLOW_SYNC_MS = 200
const CLOCK_TOLERANCE_MS = 2000
/** Nothing can have happened before this program existed. */
const EARLIEST_MS = Date.UTC(2026, 0, 1)

/** Works in a folder of its own inside `folder`, and leaves nothing. */
export function checkDurability(folder: string, now: () => number): Check[] {
  const place = join(folder, `doctor-${process.pid}.d`)
  try {
    fs.mkdirSync(place, 0o700)
  } catch (error) {
    const reason = `nothing can be made in ${folder} (${osCode(error)})`
    return [skipped('lock', reason), skipped('sync', reason), checkClock(now(), undefined)]
  }
  try {
    return [checkLock(place), checkSync(place), checkClock(now(), writtenAt(place))]
  } finally {
    fs.rmSync(place, { recursive: true, force: true })
  }
}

/** A lock is a folder that only one can make, whose time its holder renews. */
function checkLock(place: string): Check {
  const lock = join(place, 'lock')
  const started = performance.now()
  try {
    fs.mkdirSync(lock)
    if (!isRefused(() => fs.mkdirSync(lock))) return brokenLock('two could hold it at once')
    const renewed = new Date(1_700_000_000_000)
    fs.utimesSync(lock, renewed, renewed)
    if (Math.abs(fs.statSync(lock).mtimeMs - renewed.getTime()) > CLOCK_TOLERANCE_MS) {
      return brokenLock('its time cannot be set')
    }
    fs.rmdirSync(lock)
    return ok('lock', `works, ${duration(started)}`)
  } catch (error) {
    if (isFull(error)) return skipped('lock', NO_SPACE)
    return brokenLock(osCode(error))
  }
}

function isRefused(call: () => void): boolean {
  try {
    call()
    return false
  } catch (error) {
    return osCode(error) === 'EEXIST'
  }
}

function brokenLock(reason: string): Check {
  return problem(
    'lock',
    `does not work: ${reason}`,
    'Put the data folder on a local disk. Nothing is lost meanwhile, but writers delay each other.',
  )
}

function checkSync(place: string): Check {
  let file: number | undefined
  try {
    file = fs.openSync(join(place, 'sync'), 'w', 0o600)
    const started = performance.now()
    fs.writeSync(file, 'probe')
    fs.fdatasyncSync(file)
    const ms = performance.now() - started
    if (ms <= SLOW_SYNC_MS) return ok('sync', `works, ${duration(started)}`)
    return warning(
      'sync',
      `works but took ${duration(started)}`,
      'Every append waits this long. A disk that is less busy helps.',
    )
  } catch (error) {
    if (isFull(error)) return skipped('sync', NO_SPACE)
    return problem(
      'sync',
      `does not work (${osCode(error)})`,
      'Put the data folder on another disk: on this one no event can be made safe.',
    )
  } finally {
    if (file !== undefined) fs.closeSync(file)
  }
}

/** `undefined` where there is no room for a file. */
function writtenAt(place: string): number | undefined {
  const file = join(place, 'clock')
  try {
    fs.writeFileSync(file, '')
    return fs.statSync(file).mtimeMs
  } catch {
    return undefined
  }
}

/** `onDisk` is the time that the file system gave to a file made just now. */
export function checkClock(now: number, onDisk: number | undefined): Check {
  const time = new Date(now).toISOString()
  if (now < EARLIEST_MS) {
    return problem('clock', `${time} lies in the past`, 'Set the clock of the machine.')
  }
  const difference = onDisk === undefined ? 0 : Math.abs(now - onDisk)
  if (difference <= CLOCK_TOLERANCE_MS) return ok('clock', time)
  return warning(
    'clock',
    `${Math.round(difference)} ms apart from the clock of the file system`,
    'Let both machines keep their clocks by NTP, else a lock may look older than it is.',
  )
}

function duration(started: number): string {
  return `${(performance.now() - started).toFixed(1)} ms`
}
