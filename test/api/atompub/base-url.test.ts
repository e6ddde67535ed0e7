import { describe, expect, it } from 'vitest'
import { publicBase } from '../../../src/api/atompub/base-url.ts'
import { httpRequest } from '../../support/app-send.ts'

describe('the base of links', () => {
  it.each([
    ['the host as the client names it', {}, {}, 'http://localhost:8000'],
    ['the mount behind it', {}, { mount: '/cgi-bin/apie' }, 'http://localhost:8000/cgi-bin/apie'],
    ['an IPv6 address', {}, { origin: 'http://[::1]:2113' }, 'http://[::1]:2113'],
    ['the scheme of a proxy', { proto: 'HTTPS' }, {}, 'https://localhost:8000'],
    ['the port of a proxy', { port: '444' }, {}, 'http://localhost:444'],
    ['no port where it is that of the scheme', { port: '80' }, {}, 'http://localhost'],
    [
      'the port of a proxy behind its host',
      { host: 'a.example', port: '8443' },
      {},
      'http://a.example:8443',
    ],
    ['its host alone', { host: 'a.example', port: '443', proto: 'https' }, {}, 'https://a.example'],
    ['the port in its host', { host: 'a.example:81', port: '444' }, {}, 'http://a.example:81'],
    ['an address and its port', { host: '[::1]', port: '444' }, {}, 'http://[::1]:444'],
    ['the host of a proxy', { host: 'a.example' }, {}, 'http://a.example'],
    ['the first host of several', { host: 'a.example:81, b.example' }, {}, 'http://a.example:81'],
    [
      'the prefix of a proxy before the mount',
      { proto: 'https', host: 'a.example', prefix: '/es/' },
      { mount: '/cgi-bin/apie' },
      'https://a.example/es/cgi-bin/apie',
    ],
    ['no port that is none', { port: '44x' }, {}, 'http://localhost:8000'],
    ['no port 0', { port: '0' }, {}, 'http://localhost:8000'],
    ['no port that is too high', { port: '99999' }, {}, 'http://localhost:8000'],
    ['no port 0 behind a host', { host: 'a.example', port: '0' }, {}, 'http://a.example'],
    ['no host with port 0', { host: 'a:0' }, {}, 'http://localhost:8000'],
    ['no host with a port too high', { host: 'a:65536' }, {}, 'http://localhost:8000'],
    ['the highest port', { host: 'a:65535' }, {}, 'http://a:65535'],
    ['no address that is none', { host: '[:::]' }, {}, 'http://localhost:8000'],
    ['nothing of a Host with such a port', {}, { origin: 'http://h:99999' }, 'http://localhost'],
    ['no host that is none', { host: 'a"><script>' }, {}, 'http://localhost:8000'],
    ['no prefix that is none', { prefix: '/a b' }, {}, 'http://localhost:8000'],
    ['no scheme but the two', { proto: 'javascript' }, {}, 'http://localhost:8000'],
  ])('is %s', (_what, forwarded, more, expected) => {
    const headers = Object.entries(forwarded).map(([name, value]) => [`x-forwarded-${name}`, value])
    const request = httpRequest({ headers: Object.fromEntries(headers), ...more })
    expect(publicBase(request, '')).toBe(expected)
  })

  it('is the setting, whatever a proxy says', () => {
    const request = httpRequest({ headers: { 'x-forwarded-host': 'evil.example' }, mount: '/x' })
    expect(publicBase(request, 'https://good.example/store/')).toBe('https://good.example/store')
  })
})
