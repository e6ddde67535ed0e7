import { describe, expect, test } from 'vitest'
import { readSettings, type SettingSources } from '../../src/config.ts'
import { LEAST_TOKEN_LENGTH } from '../../src/domain/setup.ts'
import { SETTINGS } from '../../src/settings.ts'

const file = (text: string, name = 'apie.json') => ({ file: { name, text } })

function refusal(sources: SettingSources): string {
  try {
    readSettings(sources)
  } catch (error) {
    expect(error).toMatchObject({ name: 'AppError', code: 'bad-setting' })
    return (error as Error).message
  }
  throw new Error('was taken')
}

describe('where settings come from', () => {
  test('without sources each has its default', () => {
    const settings = readSettings({})
    expect(settings).toMatchObject({
      data: '',
      anonymous: 'none',
      host: '127.0.0.1',
      port: 8000,
      trustRemoteUser: false,
      corsOrigins: [],
      maxEventBytes: 4_194_304,
      sync: 'on',
    })
    expect(Object.keys(settings)).toEqual(Object.keys(SETTINGS))
    expect(Object.isFrozen(settings)).toBe(true)
  })

  test('an option beats the environment, which beats the file, which beats the default', () => {
    const sources = {
      ...file('{"port":1,"host":"file","data":"file"}'),
      environment: { APIE_PORT: '2', APIE_HOST: 'environment' },
      options: { port: '3' },
    }
    expect(readSettings(sources)).toMatchObject({ port: 3, host: 'environment', data: 'file' })
  })

  test('an empty variable counts as not set, an empty option as said', () => {
    const sources = { ...file('{"host":"file"}'), environment: { APIE_HOST: '' } }
    expect(readSettings(sources).host).toBe('file')
    expect(readSettings({ ...sources, options: { host: '' } }).host).toBe('')
  })

  test('variables that are no settings are left alone', () => {
    expect(readSettings({ environment: { PORT: '1', APIE_OTHER: 'x' } }).port).toBe(8000)
  })

  test('no two settings share a variable', () => {
    const variables = Object.values(SETTINGS).map(({ variable }) => variable)
    expect(new Set(variables).size).toBe(variables.length)
  })
})

describe('the public base of links', () => {
  test.each([
    'https://example.org',
    'http://localhost:8000/',
    'https://example.org/cgi-bin/apie',
    'http://[::1]:80/a%20b',
    '',
  ])('may be "%s"', (baseUrl) => {
    expect(readSettings({ options: { baseUrl } }).baseUrl).toBe(baseUrl)
    expect(readSettings(file(JSON.stringify({ baseUrl }))).baseUrl).toBe(baseUrl)
  })

  test.each([
    'exa mple',
    'example.org',
    'ftp://example.org',
    'javascript:alert(1)',
    'https://',
    'https:///apie',
    'https://example.org/a b',
    'https://example.org/a"b',
    'https://example.org/?a=b',
    'https://example.org/#a',
    'https://user:password@example.org',
    'https://example.org:port',
    'https://example.org\nhttps://example.org',
  ])('is refused as %j', (baseUrl) => {
    expect(refusal({ environment: { APIE_BASE_URL: baseUrl } })).toBe(
      `APIE_BASE_URL: expected a URL without query (such as https://example.org/apie), found "${baseUrl}"`,
    )
    expect(refusal(file(JSON.stringify({ baseUrl })))).toContain(' for "baseUrl", found ')
  })
})

describe('settings file', () => {
  test('a JSON object gives texts, numbers, flags and lists', () => {
    const text =
      '{"data":"/srv","port":80,"trustRemoteUser":true,"corsOrigins":["https://a","https://b"]}'
    expect(readSettings(file(text))).toMatchObject({
      data: '/srv',
      port: 80,
      trustRemoteUser: true,
      corsOrigins: ['https://a', 'https://b'],
    })
  })

  test('a byte order mark in front is overlooked', () => {
    expect(readSettings(file('\ufeff{"port":80}')).port).toBe(80)
  })

  test('a stub gives lines of name and value; blank lines and comments are left out', () => {
    const stub = '#!/home/a/apie\r\n\r\n# where\r\ndata: /home/a/data: x \r\n  port:81\r\n'
    expect(readSettings(file(stub, 'apie.cgi'))).toMatchObject({
      data: '/home/a/data: x',
      port: 81,
    })
  })

  test.each([
    ['{', /^apie\.json is not valid JSON: /],
    ['[]', /^apie\.json must hold a JSON object$/],
    ['null', /^apie\.json must hold a JSON object$/],
    [
      '{"port":1,"port":2}',
      /^apie\.json is not valid JSON: Key "port" stands twice at character 11$/,
    ],
    ['#!/apie\nport: 1\nport: 2', /^apie\.json: "port" stands twice$/],
    [
      '{"brokerStream":"$x"}',
      /^apie\.json: expected the name of a stream that does not begin with "\$" for "brokerStream", found "\$x"$/,
    ],
    ['{"ports":1}', /^apie\.json has an unknown setting "ports"$/],
    ['{"__proto__":1}', /^apie\.json has an unknown setting "__proto__"$/],
    [
      '{"port":8e10}',
      /^apie\.json: expected a whole number from 0 to 65535 for "port", found "80000000000"$/,
    ],
    ['{"sync":"of"}', /^apie\.json: expected one of on, unsafe-off for "sync", found "of"$/],
    [
      '{"openMetrics":"maybe"}',
      /^apie\.json: expected true or false for "openMetrics", found "maybe"$/,
    ],
    [
      '#!/apie\nport: x',
      /^apie\.json: expected a whole number from 0 to 65535 for "port", found "x"$/,
    ],
    ['{"data":null}', /^apie\.json: expected text for "data"$/],
    ['{"data":{"a":1}}', /^apie\.json: expected text for "data"$/],
    ['{"data":["a","b"]}', /^apie\.json: expected text for "data"$/],
    ['{"data":5}', /^apie\.json: expected text for "data"$/],
    ['{"host":true}', /^apie\.json: expected text for "host"$/],
    ['{"setupToken":12345678901234567890}', /^apie\.json: expected text for "setupToken"$/],
    ['{"port":null}', /^apie\.json: expected text, a number, true or false for "port"$/],
    [
      '{"corsOrigins":5}',
      /expected origins as browsers send them .* for "corsOrigins", found "5"$/,
    ],
    ['{"corsOrigins":[["a"]]}', /^apie\.json: expected a list of texts for "corsOrigins"$/],
    ['#!/apie\nport 80', /^apie\.json: expected "name: value", found "port 80"$/],
    ['#!/apie\n: 80', /^apie\.json: expected "name: value", found ": 80"$/],
    ['#!/apie\nprot: 80', /^apie\.json has an unknown setting "prot"$/],
  ])('%j is refused with its name', (text, message) => {
    expect(refusal(file(text))).toMatch(message)
  })
})

describe('values', () => {
  test.each(['true', 'ON', 'yes', '1'])('%s turns a flag on', (value) => {
    expect(readSettings({ environment: { APIE_TRUST_REMOTE_USER: value } }).trustRemoteUser).toBe(
      true,
    )
  })

  test.each(['false', 'Off', 'no', '0'])('%s turns a flag off', (value) => {
    const sources = {
      ...file('{"trustRemoteUser":true}'),
      environment: { APIE_TRUST_REMOTE_USER: value },
    }
    expect(readSettings(sources).trustRemoteUser).toBe(false)
  })

  test('a list is split at commas, without blanks and empty items', () => {
    const environment = { APIE_CORS_ORIGINS: ' https://a , ,https://b,' }
    expect(readSettings({ environment }).corsOrigins).toEqual(['https://a', 'https://b'])
  })

  test.each([
    'https://a.example',
    'http://localhost:3000',
    'http://[::1]:8000',
    'moz-extension://3c6bf0a2-7d43-4b4e-8a3e-0f4d3f7a2b11',
    'capacitor://localhost',
  ])('the origin %s is taken', (origin) => {
    expect(readSettings({ options: { corsOrigins: origin } }).corsOrigins).toEqual([origin])
  })

  test.each([
    '*',
    'null',
    'nonsense',
    'a.example',
    'https://*.example',
    'https://a.example/',
    'https://a.example/path',
    'https://A.example',
    'HTTPS://a.example',
    'https://a.example:443',
    'https://user@a.example',
    'https://',
  ])('%s is no origin, and refused where it stands in a list', (text) => {
    const environment = { APIE_CORS_ORIGINS: `https://a.example, ${text}` }
    expect(refusal({ environment })).toBe(
      `APIE_CORS_ORIGINS: expected origins as browsers send them (such as https://example.org), found "${text}"`,
    )
  })

  test('a token for the set-up is long enough, or refused without being told', () => {
    const take = (token: string) =>
      readSettings({ environment: { APIE_SETUP_TOKEN: token } }).setupToken
    expect(SETTINGS.setupToken.least).toBe(LEAST_TOKEN_LENGTH)
    expect(take(' twenty random letters\n')).toBe('twenty random letters')
    expect(readSettings(file('{"setupToken":""}')).setupToken).toBe('')
    expect(refusal({ environment: { APIE_SETUP_TOKEN: 'short' } })).toBe(
      'APIE_SETUP_TOKEN: expected at least 20 characters, found 5',
    )
    expect(refusal(file('{"setupToken":"short"}'))).toBe(
      'apie.json: expected at least 20 characters for "setupToken", found 5',
    )
  })

  test('numbers are taken up to their bounds', () => {
    for (const port of ['0', '65535']) {
      expect(readSettings({ options: { port } }).port).toBe(Number(port))
    }
  })

  test.each(['-1', '65536', '1.5', '1e3', ' 1', '0x10', 'many', '9'.repeat(400)])(
    'a port of %j is refused',
    (port) => {
      expect(refusal({ options: { port } })).toMatch(
        /^option for port: expected a whole number from 0 to 65535, found /,
      )
    },
  )

  test('a number that is none is refused with the variable or the option that gave it', () => {
    expect(refusal({ environment: { APIE_PORT: 'x' } })).toBe(
      'APIE_PORT: expected a whole number from 0 to 65535, found "x"',
    )
    expect(refusal({ options: { sync: 'of' } })).toBe(
      'option for sync: expected one of on, unsafe-off, found "of"',
    )
    expect(refusal({ options: { openMetrics: 'x' } })).toBe(
      'option for openMetrics: expected true or false, found "x"',
    )
  })

  test('a word that is no choice and a word that is no flag are refused with what is allowed', () => {
    expect(refusal({ environment: { APIE_ANONYMOUS: 'Reader' } })).toBe(
      'APIE_ANONYMOUS: expected one of none, reader, writer, admin, found "Reader"',
    )
    expect(refusal({ environment: { APIE_TRUST_REMOTE_USER: 'maybe' } })).toBe(
      'APIE_TRUST_REMOTE_USER: expected true or false, found "maybe"',
    )
  })
})
