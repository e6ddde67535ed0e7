/**
 * Runs once before the tests of the executable: where a reader of feeds and a checker of schemas are missing
 * and this is root on a Debian system, they are installed. Else the tests that need them are skipped.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { installPackages } from './debian-packages.ts'

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
  if (!hasXmlTools()) installPackages('libxml2-utils', 'python3-feedparser')
}
