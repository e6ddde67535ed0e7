/** The tour of the README, word for word, in a document root with the shipped `.htaccess` files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { PROJECT, run } from '../support/executable.ts'
import { useApache } from '../support/use-apache.ts'

/** The `sh` blocks that follow a line `<!-- tour -->`. `$APIE` is the base URL, `$PASSWORD` that of `admin`. */
function tour(): string[] {
  const text = readFileSync(join(PROJECT, 'README.md'), 'utf8')
  return Array.from(
    text.matchAll(/^<!-- tour -->\n+```sh\n([\s\S]*?)^```$/gm),
    (match) => match[1] ?? '',
  )
}

describeVariants('the tour of the README', (variant) => {
  const apache = useApache({ variant, shape: 'document-root' })

  it('has blocks to run', () => {
    expect(tour().length).toBeGreaterThan(0)
  })

  it('runs as it stands, block after block in one shell', async () => {
    const blocks = tour().map((block, n) => `echo "block ${n + 1}" >&2\n${block}`)
    const script = [
      'set -euo pipefail',
      'curl() { command curl --fail-with-body "$@"; }',
      ...blocks,
    ]
    const folder = join(apache().dataFolder, '..')
    const { url, password, user } = apache()
    const environment = {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: folder,
      APIE: url,
      PASSWORD: password,
    }
    const shell = await run('bash', ['-c', script.join('\n')], { folder, environment, user })
    expect(shell.status, `${shell.out}\n${shell.err}`).toBe(0)
  })
})
