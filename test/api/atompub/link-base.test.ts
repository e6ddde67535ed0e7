import { describe, expect, it } from 'vitest'
import { linkBase } from '../../../src/api/atompub/link-base.ts'
import { httpRequest } from '../../support/app-send.ts'

function baseOf(
  headers: Record<string, string>,
  { baseUrl = '', origin = 'http://localhost:8000' } = {},
): string {
  return linkBase(httpRequest({ headers, origin }), {
    principal: { name: '', role: 'reader', isAnonymous: true },
    parameters: {},
    query: new URLSearchParams(),
    baseUrl,
  })
}

describe('the base of links', () => {
  it.each([
    ['the host as the client names it', {}, {}, 'http://localhost:8000'],
    ['the mount behind it', {}, { baseUrl: '/cgi-bin/apie' }, 'http://localhost:8000/cgi-bin/apie'],
    ['the usual port left out', {}, { origin: 'https://a.example:443' }, 'https://a.example'],
    ['an IPv6 address', {}, { origin: 'http://[::1]:2113' }, 'http://[::1]:2113'],
    ['the scheme of a proxy', { proto: 'HTTPS' }, {}, 'https://localhost:8000'],
    ['the port of a proxy', { port: '444' }, {}, 'http://localhost:444'],
    ['the host of a proxy', { host: 'a.example' }, {}, 'http://a.example'],
    ['the first host of several', { host: 'a.example:81, b.example' }, {}, 'http://a.example:81'],
    [
      'all of a proxy',
      { proto: 'https', host: 'a.example', port: '443', prefix: '/es/' },
      { baseUrl: '/cgi-bin/apie' },
      'https://a.example/es/cgi-bin/apie',
    ],
    ['no port that is none', { port: '44x' }, {}, 'http://localhost:8000'],
    ['no host that is none', { host: 'a"><script>' }, {}, 'http://localhost:8000'],
    ['no prefix that is none', { prefix: '/a b' }, {}, 'http://localhost:8000'],
    ['no scheme but the two', { proto: 'javascript' }, {}, 'http://localhost:8000'],
    [
      'the setting, whatever a proxy says',
      { host: 'evil.example' },
      { baseUrl: 'https://good.example/store' },
      'https://good.example/store',
    ],
  ])('is %s', (_what, forwarded, more, expected) => {
    const headers = Object.entries(forwarded).map(([name, value]) => [`x-forwarded-${name}`, value])
    expect(baseOf(Object.fromEntries(headers), more)).toBe(expected)
  })
})
