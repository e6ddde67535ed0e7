/** The executable as web servers look at it, and what it needs of the machine. */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { systemUser } from '../system-user.ts'
import { type Check, ok, problem, skipped, warning } from './check.ts'

const LEAST_GLIBC = '2.28'

export type Ownership = { readonly mode: number; readonly uid: number; readonly isLink: boolean }

/** @param uid as whom the program works */
export function checkExecutable(path: string, uid: number): Check[] {
  const file = ownership(path)
  const folder = ownership(dirname(path))
  const runs = checkRuntime()
  if (!file || !folder) return [skipped('executable', `${path} cannot be looked at`), ...runs]
  return [...checkOwnership(path, file, folder, uid), ...runs]
}

function ownership(path: string): Ownership | undefined {
  const stat = fs.lstatSync(path, { throwIfNoEntry: false })
  return stat && { mode: stat.mode & 0o7777, uid: stat.uid, isLink: stat.isSymbolicLink() }
}

/** What suEXEC and web servers refuse with nothing but "500 Internal Server Error". */
export function checkOwnership(
  path: string,
  file: Ownership,
  folder: Ownership,
  uid: number,
): Check[] {
  return [
    file.mode & 0o100
      ? ok('executable bit', `${path} may be run`)
      : problem('executable bit', `${path} may not be run`, `chmod 755 ${path}`),
    file.isLink
      ? warning('executable file', 'is a symbolic link, which suEXEC refuses', 'Use a `#!` file.')
      : ok('executable file', 'is a file of its own'),
    file.mode & 0o022
      ? problem('executable mode', 'others may write it; suEXEC refuses that', `chmod 755 ${path}`)
      : ok('executable mode', 'nobody else may write it'),
    folder.mode & 0o022
      ? problem(
          'executable folder',
          `others may write ${dirname(path)}; suEXEC refuses that`,
          `chmod 755 ${dirname(path)}`,
        )
      : ok('executable folder', 'nobody else may write it'),
    file.uid === uid
      ? ok('executable owner', `user ${systemUser(uid)}, who also runs this`)
      : warning(
          'executable owner',
          `user ${systemUser(file.uid)} owns it, user ${systemUser(uid)} runs this`,
          'Without suEXEC every program of the web server can read the data: ask the host for suEXEC.',
        ),
  ]
}

function checkRuntime(): Check[] {
  const node = ok('Node', process.versions.node)
  const version = glibcVersion()
  if (version === undefined) return [node, skipped('glibc', 'its version is not told')]
  return [node, checkGlibc(version)]
}

export function checkGlibc(version: string): Check {
  if (isAtLeast(version, LEAST_GLIBC)) return ok('glibc', version)
  return problem(
    'glibc',
    `${version}, needed is ${LEAST_GLIBC}`,
    'This host is too old for the program: ask for RHEL 8, Debian 10, Ubuntu 20.04 or newer.',
  )
}

/** The report would look up names of network peers; nobody needs them here. */
function glibcVersion(): string | undefined {
  Object.assign(process.report, { excludeNetwork: true })
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return report.header?.glibcVersionRuntime
}

function isAtLeast(version: string, least: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = least.split('.').map(Number)
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}
