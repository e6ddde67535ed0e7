/** How credentials reach the executable, and what it says when they do not. */
import { expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { basic } from '../support/executable.ts'
import { errorCode, useApache } from '../support/use-apache.ts'

/** Lines for a host that lets nobody change anything by `.htaccess`. */
const RECIPES = [
  ['CGIPassAuth On', '<Location /cgi-bin>\nCGIPassAuth On\n</Location>'],
  [
    'a rewrite rule of its own',
    '<Location /cgi-bin>\nRewriteEngine On\nRewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]\n</Location>',
  ],
  ['SetEnvIf', 'SetEnvIf Authorization "^(.*)$" HTTP_AUTHORIZATION=$1'],
] as const

for (const [name, configuration] of RECIPES) {
  describeVariants(`Authorization by ${name}`, (variant) => {
    const apache = useApache({
      variant,
      shape: 'script-alias',
      allowOverride: 'None',
      configuration,
    })

    it('arrives, and its absence is told', async () => {
      expect((await apache().send('/events')).status).toBe(200)
      const without = await apache().send('/events', { headers: { authorization: '' } })
      expect([without.status, errorCode(without.text)]).toEqual([401, 'credentials-missing'])
    })
  })
}

describeVariants('a host that passes no Authorization', (variant) => {
  const apache = useApache({ variant, shape: 'script-alias', allowOverride: 'None' })

  it('gets a 401 that says the header did not arrive and how to pass it', async () => {
    const answer = await apache().send('/events')
    expect([answer.status, errorCode(answer.text)]).toEqual([401, 'credentials-missing'])
    expect(answer.headers['www-authenticate']).toBe('Basic realm="Apie"')
    expect(answer.text).toContain('CGIPassAuth')
  })
})

for (const shape of ['script-alias', 'exec-cgi', 'document-root', 'stub'] as const) {
  describeVariants(`the shipped files in shape ${shape}`, (variant) => {
    const apache = useApache({ variant, shape })
    const status = async (authorization: string | readonly string[]) =>
      (await apache().send('/events', { headers: { authorization } })).status

    it('pass Authorization', async () => {
      expect((await apache().send('/events')).status).toBe(200)
    })

    it('tell wrong credentials from missing ones', async () => {
      const wrong = await apache().send('/events', {
        headers: { authorization: basic('admin', 'no') },
      })
      expect([wrong.status, errorCode(wrong.text)]).toEqual([401, 'credentials-wrong'])
    })

    it.each([
      ['an empty value', ''],
      ['no base64', 'Basic %%%'],
      ['no colon', `Basic ${Buffer.from('admin').toString('base64')}`],
      ['a user of many letters', basic('jürgen-日本', 'x')],
      ['another scheme', 'Bearer abc'],
    ])('answer %s with 401', async (_name, value) => {
      expect(await status(value)).toBe(401)
    })

    it('refuse the header twice and one of 9 KB', async () => {
      const { authorization } = apache()
      expect([400, 401]).toContain(await status([authorization, authorization]))
      expect([400, 401]).toContain(await status(`Basic ${'A'.repeat(9000)}`))
    })
  })
}
