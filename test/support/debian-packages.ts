/** Installs what tests need of Debian, where this is root on such a system; else they are left out, and say so. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isRoot } from './apache-variants.ts'

/** Other set-ups may be installing too: how long to wait for them, in seconds. */
const WAIT = ['-o', 'DPkg::Lock::Timeout=300']

/** Programs without their services: nobody asked for any. A failure is told, and shows in what is left out. */
export function installPackages(...names: readonly string[]): void {
  if (!isRoot || !existsSync('/usr/bin/apt-get')) return
  process.stderr.write(`installing ${names.join(', ')}\n`)
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const options = { env: environment, stdio: 'ignore' as const }
  try {
    execFileSync('apt-get', ['update', '-q', ...WAIT], options)
    execFileSync(
      'apt-get',
      ['install', '-qy', '--no-install-recommends', ...WAIT, ...names],
      options,
    )
  } catch (error) {
    process.stderr.write(`could not install them: ${(error as Error).message}\n`)
  }
}
