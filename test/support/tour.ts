/** The commands of a document, run word for word. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SystemUser } from './apache-variants.ts'
import { PROJECT, type Run, run } from './executable.ts'

/** Where a tour goes: an `Apache`, or a server with the same facts. */
export type Toured = {
  readonly url: string
  readonly password: string
  readonly user?: SystemUser | undefined
  readonly dataFolder: string
}

/** The `sh` blocks that follow a line `<!-- tour -->`. `$APIE` is the base URL, `$PASSWORD` that of `admin`. */
export function tourOf(document: string): string[] {
  const text = readFileSync(join(PROJECT, document), 'utf8')
  return Array.from(
    text.matchAll(/^<!-- tour -->\n+```sh\n([\s\S]*?)^```$/gm),
    (match) => match[1] ?? '',
  )
}

/** Block after block in one shell; what fails ends it. */
export function runTour(document: string, toured: Toured): Promise<Run> {
  const blocks = tourOf(document).map((block, n) => `echo "block ${n + 1}" >&2\n${block}`)
  const script = ['set -euo pipefail', 'curl() { command curl --fail-with-body "$@"; }', ...blocks]
  const { url, password, user } = toured
  const folder = join(toured.dataFolder, '..')
  const environment = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: folder,
    APIE: url,
    PASSWORD: password,
  }
  return run('bash', ['-c', script.join('\n')], { folder, environment, user })
}
