/**
 * Runs once before the tests of the executable: where Apache is missing and this is root on a Debian
 * system, it is installed; the packages without a service, so that nothing starts. Else the tests that
 * need it are reported as skipped, with the reason.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isRoot, missingFor, VARIANTS } from './apache-variants.ts'

const PACKAGES = ['apache2-bin', 'apache2-suexec-pristine', 'curl']

export function setup(): void {
  const isComplete = VARIANTS.every((variant) => missingFor(variant) === undefined)
  if (isComplete || !isRoot || !existsSync('/usr/bin/apt-get')) return
  process.stderr.write(`installing ${PACKAGES.join(', ')}\n`)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = { env: environment, stdio: 'ignore' as const }
  try {
    execFileSync('apt-get', ['update', '-q'], options)
    execFileSync('apt-get', ['install', '-qy', '--no-install-recommends', ...PACKAGES], options)
  } catch (error) {
    process.stderr.write(`could not install them: ${(error as Error).message}\n`)
  }
}
