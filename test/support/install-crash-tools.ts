/**
 * Runs once before the crash tests: what makes the calls of a process fail (strace), its clock jump (faketime)
 * and a web server of the executable. Where it cannot be installed the tests are reported as skipped.
 */
import { existsSync } from 'node:fs'
import { missingFor, VARIANTS } from './apache-variants.ts'
import { installPackages } from './debian-packages.ts'

export const STRACE = '/usr/bin/strace'
export const FAKETIME = '/usr/bin/faketime'

export function setup(): void {
  const isApacheThere = VARIANTS.every((variant) => missingFor(variant) === undefined)
  if (isApacheThere && existsSync(STRACE) && existsSync(FAKETIME)) return
  installPackages('apache2-bin', 'apache2-suexec-pristine', 'curl', 'strace', 'faketime')
}
