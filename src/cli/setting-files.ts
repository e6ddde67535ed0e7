/** The files that settings name, besides the store: can the program use them as the user that runs this? */
import fs from 'node:fs'
import { dirname } from 'node:path'
import type { Settings } from '../settings.ts'

export type SettingFile = {
  /** A few words, the same in every run. */
  readonly name: string
  readonly path: string
  /** Why it cannot be used and what happens meanwhile; absent where it can. */
  readonly problem?: string
  readonly fix: string
}

/** Those that are set. */
export function settingFiles({ htpasswd, logFile }: Settings): SettingFile[] {
  const files: SettingFile[] = []
  if (htpasswd !== '') files.push(htpasswdFile(htpasswd))
  if (logFile !== '') files.push(fileOfLog(logFile))
  return files
}

function htpasswdFile(path: string): SettingFile {
  const reason = reasonAgainst(() => fs.accessSync(path, fs.constants.R_OK), path)
  return {
    name: 'htpasswd file',
    path,
    ...(reason && { problem: `cannot be read (${reason}); who stands only there cannot sign in` }),
    fix: 'Correct `htpasswd` (APIE_HTPASSWD), or let the user that runs the program read the file.',
  }
}

/** One that is missing is made with the first line. */
function fileOfLog(path: string): SettingFile {
  const { R_OK, W_OK, X_OK } = fs.constants
  const reason = reasonAgainst(() => {
    const there = fs.lstatSync(path, { throwIfNoEntry: false })
    // The log follows none: what it is must not change under it.
    if (there?.isSymbolicLink()) throw new Error('a symbolic link')
    fs.accessSync(there ? path : dirname(path), there ? R_OK | W_OK : W_OK | X_OK)
  }, path)
  return {
    name: 'log file',
    path,
    ...(reason && { problem: `cannot be written (${reason}); its lines go to standard error` }),
    fix: 'Correct `logFile` (APIE_LOG_FILE), or let the user that runs the program read and write it and make it.',
  }
}

function reasonAgainst(check: () => void, path: string): string | undefined {
  try {
    check()
    return fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ? 'a folder' : undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'not there' : (code ?? (error as Error).message)
  }
}
