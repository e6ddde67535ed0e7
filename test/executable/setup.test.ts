/** The first account without a shell: a token that only the owner of the files can read. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { basic } from '../support/executable.ts'
import { errorCode, useApache } from '../support/use-apache.ts'

describeVariants('a new installation', (variant) => {
  const apache = useApache({ variant, shape: 'document-root', account: false })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const form = (token: string) =>
    apache().send('/setup', {
      method: 'POST',
      headers,
      body: new URLSearchParams({ token, name: 'first', password: 'correct horse' }).toString(),
    })

  it('is set up by whoever reads the token from the data folder, and by nobody after', async () => {
    const closed = await apache().send('/events')
    expect([closed.status, errorCode(closed.text)]).toEqual([503, 'setup-required'])
    expect((await apache().send('/setup')).text).toContain('<form')
    const file = join(apache().dataFolder, 'setup-token')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const token = readFileSync(file, 'utf8').trim()

    expect((await form('wrong')).status).toBe(403)
    expect((await form(token)).status).toBe(200)
    expect((await form(token)).status).toBe(404)
    const authorization = basic('first', 'correct horse')
    expect((await apache().send('/events', { headers: { authorization } })).status).toBe(200)
  })
})
