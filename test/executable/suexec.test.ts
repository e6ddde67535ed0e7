/** What suEXEC asks of files, and what its small environment leaves. */
import { chmodSync, renameSync, symlinkSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeVariants, VARIANTS } from '../support/apache-variants.ts'
import { cgiVariables } from '../support/cgi-run.ts'
import { EXECUTABLE, run } from '../support/executable.ts'
import { useApache } from '../support/use-apache.ts'

describeVariants(
  'suEXEC',
  (variant) => {
    const apache = useApache({ variant, shape: 'document-root' })
    const status = async () => (await apache().send('/')).status

    it.each([
      [0o755, 200],
      [0o711, 200],
      [0o700, 200],
      [0o644, 500],
      [0o775, 500],
      [0o777, 500],
    ])('starts an executable of mode %o with status %i', async (mode, expected) => {
      chmodSync(apache().program, mode)
      expect(await status()).toBe(expected)
      chmodSync(apache().program, 0o755)
    })

    it('refuses a folder that its group may write, and takes it again after chmod 755', async () => {
      const folder = dirname(apache().program)
      chmodSync(folder, 0o775)
      expect(await status()).toBe(500)
      chmodSync(folder, 0o755)
      expect(await status()).toBe(200)
    })

    it('refuses a symbolic link to the executable', async () => {
      const { program } = apache()
      renameSync(program, `${program}.real`)
      symlinkSync(`${program}.real`, program)
      expect(await status()).toBe(500)
      unlinkSync(program)
      renameSync(`${program}.real`, program)
    })
  },
  VARIANTS.filter((variant) => variant.suexec),
)

describe('without HOME, TMPDIR, LANG, TZ and PATH', () => {
  it('a request is served', async () => {
    const variables = { APIE_STORE: 'memory:', APIE_ANONYMOUS: 'admin', PATH: undefined }
    const environment = cgiVariables({ target: '/events', variables })
    expect((await run(EXECUTABLE, [], { environment })).out).toMatch(/^Status: 200 /)
  })
})
