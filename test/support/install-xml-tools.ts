/**
 * Runs once before the tests of the executable: where a reader of feeds and a checker of schemas are missing
 * and this is root on a Debian system, they are installed. Else the tests that need them are skipped.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isRoot } from './apache-variants.ts'

const PACKAGES = ['libxml2-utils', 'python3-feedparser']
/** Debian's own, which its packages are for. */
export const PYTHON = '/usr/bin/python3'

export function hasXmlTools(): boolean {
  if (!existsSync('/usr/bin/xmllint') || !existsSync(PYTHON)) return false
  try {
    execFileSync(PYTHON, ['-c', 'import feedparser'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export function setup(): void {
  if (hasXmlTools() || !isRoot || !existsSync('/usr/bin/apt-get')) return
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
