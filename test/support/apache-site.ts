/** Puts the files of an installation where a person would put them, for each way that the manual describes. */
import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SystemUser } from './apache-variants.ts'
import { PROJECT } from './executable.ts'

/**
 * `script-alias`: the host's cgi-bin outside the document root. `exec-cgi`: any folder, made executable by
 * an `.htaccess`. `document-root`: cgi-bin and clean URLs by the shipped `.htaccess` files. `stub`: a `#!`
 * file that names the executable and holds the settings.
 */
export type Shape = 'script-alias' | 'exec-cgi' | 'document-root' | 'stub'

export type Site = {
  readonly documentRoot: string
  /** Served as `/cgi-bin/` by the server's own configuration, where it lies outside the document root. */
  readonly scriptFolder: string | undefined
  /** The executable. */
  readonly program: string
  /** What the web server starts: the executable, or the stub. */
  readonly script: string
  readonly dataFolder: string
  /** Path of the API in URLs; empty at the root of the host. */
  readonly path: string
}

export type SiteOptions = {
  readonly root: string
  readonly shape: Shape
  readonly executable: string
  readonly user: SystemUser | undefined
  readonly settings: Readonly<Record<string, string | number | boolean>>
  /** Puts the data folder below the document root, as somebody might who did not read the manual. */
  readonly dataInside: boolean
}

/** The `.htaccess` of a folder whose `.cgi` files are to run, as `docs/hosting.md` gives it. */
const EXEC_CGI = `Options +ExecCGI
AddHandler cgi-script .cgi
CGIPassAuth On
SetEnv ap_trust_cgilike_cl yes
<Files "apie.json">
  Require all denied
</Files>
`

export function buildSite(options: SiteOptions): Site {
  const { root, shape, user } = options
  const own = <T extends string>(path: T): T => {
    if (user !== undefined) chownSync(path, user.uid, user.gid)
    return path
  }
  const folder = (...names: string[]): string => {
    const path = join(root, 'site', ...names)
    mkdirSync(path, { recursive: true, mode: 0o755 })
    return own(path)
  }
  const put = (path: string, text: string, mode = 0o644): string => {
    writeFileSync(path, text)
    chmodSync(path, mode)
    return own(path)
  }
  const install = (path: string): string => {
    copyFileSync(options.executable, path)
    chmodSync(path, 0o755)
    return own(path)
  }
  const copyHtaccess = (from: string, to: string): void => {
    copyFileSync(join(PROJECT, from, '.htaccess'), join(to, '.htaccess'))
    own(join(to, '.htaccess'))
  }

  folder()
  const documentRoot = folder('public')
  const dataFolder = join(options.dataInside ? documentRoot : folder('private'), 'data')
  const settings = { ...options.settings, data: dataFolder }
  const putSettings = (program: string): string =>
    put(join(dirname(program), 'apie.json'), JSON.stringify(settings))

  switch (shape) {
    case 'script-alias': {
      const scriptFolder = folder('cgi-bin')
      copyHtaccess('cgi-bin', scriptFolder)
      const program = install(join(scriptFolder, 'apie'))
      putSettings(program)
      return {
        documentRoot,
        scriptFolder,
        program,
        script: program,
        dataFolder,
        path: '/cgi-bin/apie',
      }
    }
    case 'exec-cgi': {
      const store = folder('public', 'store')
      put(join(store, '.htaccess'), EXEC_CGI)
      const program = install(join(store, 'apie.cgi'))
      putSettings(program)
      const path = '/store/apie.cgi'
      return { documentRoot, scriptFolder: undefined, program, script: program, dataFolder, path }
    }
    case 'document-root': {
      const cgiBin = folder('public', 'cgi-bin')
      copyHtaccess('', documentRoot)
      copyHtaccess('cgi-bin', cgiBin)
      const program = install(join(cgiBin, 'apie'))
      putSettings(program)
      return {
        documentRoot,
        scriptFolder: undefined,
        program,
        script: program,
        dataFolder,
        path: '',
      }
    }
    case 'stub': {
      const scriptFolder = folder('cgi-bin')
      copyHtaccess('cgi-bin', scriptFolder)
      const program = install(join(folder('bin'), 'apie'))
      const lines = Object.entries(settings).map(([name, value]) => `${name}: ${value}\n`)
      const script = put(join(scriptFolder, 'store'), `#!${program}\n${lines.join('')}`, 0o755)
      return { documentRoot, scriptFolder, program, script, dataFolder, path: '/cgi-bin/store' }
    }
    default:
      return shape satisfies never
  }
}
