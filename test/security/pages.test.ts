/** What pages of others may do with a server that a browser is signed in to: nothing. */

import { expect, it } from 'vitest'
import { VARIANTS } from '../support/apache-variants.ts'
import { describeServers } from '../support/servers.ts'

const UNSHARED = VARIANTS.filter(({ suexec }) => !suexec)

describeServers('a page of another origin', UNSHARED, (server) => {
  const event = '{"eventType":"t","body":1}'
  const FOREIGN = [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' },
    { 'sec-fetch-site': 'nonsense' },
  ]
  const FORMS = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
  ]

  it('changes nothing with what a browser sends for it unasked', async () => {
    const before = await server().count()
    for (const foreign of FOREIGN) {
      for (const type of FORMS) {
        for (const path of [
          '/events',
          '/streams/s',
          '/storage/a.txt',
          '/user/update',
          '/events/verify',
          '/api/v1/streams/s/events',
          '/api/v1/search',
        ]) {
          const answer = await server().send(path, {
            method: 'POST',
            headers: { ...foreign, ...(type === '' ? {} : { 'content-type': type }) },
            body: event,
          })
          expect([path, foreign, type, answer.status]).toEqual([
            path,
            foreign,
            type,
            expect.toBeOneOf([401, 403, 415]),
          ])
        }
      }
    }
    expect(await server().count()).toBe(before)
  })

  it('changes nothing by a link, an image or a frame, whatever its address says', async () => {
    const before = await server().count()
    for (const target of [
      '/events',
      '/events?_method=POST',
      '/events?method=DELETE',
      '/storage/x?_method=DELETE',
      '/streams/s?_method=POST',
      '/user/update',
      '/admin/shutdown',
    ]) {
      const headers = {
        'sec-fetch-site': 'cross-site',
        'x-http-method-override': 'POST',
        'x-http-method': 'DELETE',
        'x-method-override': 'PUT',
      }
      const answer = await server().send(target, { headers })
      expect([target, answer.status]).toEqual([target, expect.toBeOneOf([200, 400, 404, 405, 406])])
    }
    expect(await server().count()).toBe(before)
    expect((await server().send('/ping')).status).toBe(200)
  })

  it('is never told that it may come with credentials', async () => {
    for (const path of [
      '/events',
      '/info',
      '/storage/x',
      '/streams/s',
      '/users',
      '/stats',
      '/api/v1/streams/s/events',
    ]) {
      for (const method of ['GET', 'OPTIONS', 'POST']) {
        const { headers } = await server().send(path, {
          method,
          headers: {
            origin: 'http://evil.example',
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization',
          },
        })
        expect([path, method, headers['access-control-allow-credentials']]).toEqual([
          path,
          method,
          undefined,
        ])
        expect([path, method, headers['access-control-allow-origin'] ?? '*']).toEqual([
          path,
          method,
          '*',
        ])
      }
    }
  })
})
