/**
 * Runs once before the tests of the executable: where Apache is missing and this is root on a Debian
 * system, it is installed; the packages without a service, so that nothing starts. Else the tests that
 * need it are reported as skipped, with the reason.
 */
import { missingFor, VARIANTS } from './apache-variants.ts'
import { installPackages } from './debian-packages.ts'

export function setup(): void {
  if (VARIANTS.every((variant) => missingFor(variant) === undefined)) return
  installPackages('apache2-bin', 'apache2-suexec-pristine', 'curl')
}
