/**
 * The kinds of Apache that the executable is tried under, and what each needs of this machine.
 * A further kind is a further line in `VARIANTS`.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { describe } from 'vitest'

export type Variant = {
  readonly name: string
  /** How Apache runs its workers; the module that starts scripts follows from it on most hosts. */
  readonly mpm: 'prefork' | 'event'
  readonly cgi: 'cgi' | 'cgid'
  /** Scripts run as the owner of the files instead of as the web server. */
  readonly suexec: boolean
}

export const VARIANTS: readonly Variant[] = [
  { name: 'prefork + mod_cgi', mpm: 'prefork', cgi: 'cgi', suexec: false },
  { name: 'event + mod_cgid', mpm: 'event', cgi: 'cgid', suexec: false },
  { name: 'prefork + mod_cgi + suEXEC', mpm: 'prefork', cgi: 'cgi', suexec: true },
]

export const APACHE = '/usr/sbin/apache2'
export const MODULES = '/usr/lib/apache2/modules'
const SUEXEC = '/usr/lib/apache2/suexec'
/** The only folder below which Debian's suEXEC starts programs. */
export const SUEXEC_ROOT = '/var/www'

/** An operating-system user. */
export type SystemUser = { readonly name: string; readonly uid: number; readonly gid: number }

export const isRoot = process.getuid?.() === 0

/** Why a variant cannot run here, or `undefined` where it can. */
export function missingFor(variant: Variant): string | undefined {
  if (!existsSync(APACHE)) return `${APACHE} is not installed (Debian package apache2)`
  if (!variant.suexec) return undefined
  if (!isRoot)
    return 'suEXEC needs a web server started by root, and these tests do not run as root'
  if (!existsSync(SUEXEC)) return `${SUEXEC} is missing (Debian package apache2-suexec-pristine)`
  if ((statSync(SUEXEC).mode & 0o4000) === 0) return `${SUEXEC} has lost its setuid bit`
  return undefined
}

/** Runs the tests of `body` on each variant; one that is left out is reported as skipped, with the reason. */
export function describeVariants(
  title: string,
  body: (variant: Variant) => void,
  variants: readonly Variant[] = VARIANTS,
): void {
  for (const variant of variants) {
    const reason = missingFor(variant)
    const name = `${title}, ${variant.name}`
    if (reason === undefined) {
      describe(name, () => body(variant))
    } else {
      process.stderr.write(`left out: ${name}: ${reason}\n`)
      describe.skipIf(true)(`${name} (left out: ${reason})`, () => body(variant))
    }
  }
}

/** The user as whom scripts run: under suEXEC one that is not the web server's. */
export function scriptUser(variant: Variant): SystemUser | undefined {
  return isRoot ? systemUser(variant.suexec ? 'nobody' : 'www-data') : undefined
}

function systemUser(name: string): SystemUser {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`))
  if (line === undefined) throw new Error(`this machine has no user ${name}`)
  const [, , uid, gid] = line.split(':')
  return { name, uid: Number(uid), gid: Number(gid) }
}
