import { expect, it } from 'vitest'
import { readRoot } from '../../../src/api/apie/info.ts'
import type { Role } from '../../../src/domain/account.ts'
import { httpRequest } from '../../support/app-send.ts'

const pageFor = async (role: Role): Promise<string> => {
  const context = {
    principal: { name: 'ann', role, isAnonymous: false },
    baseUrl: '/cgi-bin/apie',
    parameters: {},
    query: new URLSearchParams(),
  }
  const { body } = await readRoot('1')(httpRequest({ headers: { accept: 'text/html' } }), context)
  return String(body)
}

it('the start page leads to the log as pages whoever may read them', async () => {
  const link = '<a href="/cgi-bin/apie/streams/%24all">'
  expect(await pageFor('admin')).toContain(link)
  expect(await pageFor('writer')).not.toContain('/streams/')
  expect(await pageFor('writer')).toContain(
    '<a href="/cgi-bin/apie/events?order=desc&amp;limit=100">',
  )
})
