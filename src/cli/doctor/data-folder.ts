/** The data folder: is it there, may we write, may others read, can a browser reach it? */
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { documentRootIn } from '../../kit/document-root.ts'
import { systemUser } from '../system-user.ts'
import { type Check, ok, osCode, problem, warning } from './check.ts'
import { isFull, spaceFix } from './full-disk.ts'

/** @param allowsUnsafe whether a setting lets others read or write it */
export function checkDataFolder(folder: string, uid: number, allowsUnsafe = false): Check[] {
  const stat = statusOf(folder)
  if (typeof stat === 'string') {
    const fix =
      'Let the user that runs this go through every folder above it (chmod +x), or name another.'
    return [problem('data folder', `${folder} cannot be looked at (${stat})`, fix)]
  }
  if (!stat) return [checkParent(folder), checkPlace(folder)]
  if (!stat.isDirectory()) {
    return [problem('data folder', `${folder} is no folder`, 'Remove it or name another folder.')]
  }
  return [
    checkWritable(folder),
    checkMode(folder, stat.mode & 0o777, allowsUnsafe),
    checkOwner(folder, stat.uid, uid),
    checkPlace(folder),
  ]
}

/** The status, `undefined` where nothing is there, or why it cannot be told. */
function statusOf(path: string): fs.Stats | string | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    return osCode(error)
  }
}

/** The nearest folder above that exists: in it the data folder will be made. */
export function nearestExisting(path: string): string {
  return path === '/' || fs.existsSync(path) ? path : nearestExisting(dirname(path))
}

function checkParent(folder: string): Check {
  const parent = dirname(folder)
  const missing = `${folder} is not there yet`
  try {
    fs.accessSync(`${parent}/.`, fs.constants.W_OK | fs.constants.X_OK)
    return ok('data folder', `${missing}; the first use makes it`)
  } catch (error) {
    return problem(
      'data folder',
      `${missing} and cannot be made in ${parent} (${osCode(error)})`,
      'Make it yourself (mode 700), or set `data` (APIE_DATA) to a folder that you may write.',
    )
  }
}

function checkWritable(folder: string): Check {
  const probe = join(folder, `doctor-${process.pid}`)
  try {
    fs.writeFileSync(probe, 'probe', { flag: 'wx', mode: 0o600 })
    fs.unlinkSync(probe)
    return ok('data folder', `${folder} can be written`)
  } catch (error) {
    removeProbe(probe)
    return problem(
      'data folder',
      `${folder} cannot be written (${osCode(error)})`,
      unwritableFix(folder, error),
    )
  }
}

/** A full disk lets it be made and not be filled. */
function removeProbe(probe: string): void {
  try {
    fs.unlinkSync(probe)
  } catch {
    // It could not be made either.
  }
}

function unwritableFix(folder: string, error: unknown): string {
  // Of a quota what is said about the disk tells nothing.
  if (osCode(error) === 'EDQUOT') return spaceFix(folder)
  if (isFull(error)) return 'See "free space" and "free inodes" below.'
  if (osCode(error) === 'EROFS') return 'Mount it writable.'
  return 'Give the folder to the user that runs the program: chown -R USER, chmod 700.'
}

function checkMode(folder: string, mode: number, allowsUnsafe: boolean): Check {
  const text = mode.toString(8).padStart(3, '0')
  if ((mode & 0o066) === 0) return ok('data folder mode', `${text}: nobody else can read it`)
  const verdict = allowsUnsafe ? warning : problem
  return verdict(
    'data folder mode',
    `${text}: other users of this machine may look into it`,
    `chmod 700 ${folder}`,
  )
}

function checkOwner(folder: string, owner: number, uid: number): Check {
  if (owner === uid) return ok('data folder owner', `user ${systemUser(uid)}, who also runs this`)
  return warning(
    'data folder owner',
    `user ${systemUser(owner)} owns ${folder}, user ${systemUser(uid)} runs this`,
    'Run the commands as the user that the web server runs the program as.',
  )
}

function checkPlace(folder: string): Check {
  const name = 'outside the document root'
  const root = documentRootIn(folder)
  if (root === undefined) return ok(name, 'no folder above it has a name of document roots')
  const isDenied = fs.existsSync(join(folder, '.htaccess'))
  return warning(
    name,
    `${root} looks like a document root${isDenied ? '; a deny-all .htaccess is in the folder' : ''}`,
    `Move the data folder beside ${root} and set \`data\` (APIE_DATA) to its new place.`,
  )
}
