/** From CGI variables to a request (RFC 3875 §4.1), as web servers set them in practice. */
import { describe, expect, test } from 'vitest'
import {
  type CgiVariables,
  isOfUnknownLength,
  requestHead,
} from '../../src/gateway/cgi-variables.ts'

/** Where the script may lie: under its own URL, behind a folder's front controller, behind the document root's. */
const SHAPES: [string, string, (path: string) => CgiVariables][] = [
  [
    'its own URL',
    '/cgi-bin/apie',
    (path) => ({ SCRIPT_NAME: '/cgi-bin/apie', REQUEST_URI: `/cgi-bin/apie${path}` }),
  ],
  [
    'the folder of the script',
    '/shop',
    (path) => ({ SCRIPT_NAME: '/shop/apie', REQUEST_URI: `/shop${path}` }),
  ],
  [
    'the document root',
    '',
    (path) => ({ SCRIPT_NAME: '/cgi-bin/apie', REQUEST_URI: path, PATH_INFO: '' }),
  ],
]

const ROUTES: [path: string, segments: string[] | undefined][] = [
  ['/', ['']],
  ['/events', ['events']],
  ['/events/', ['events', '']],
  ['//a//b', ['', 'a', '', 'b']],
  ['/a/b/../c', undefined],
  ['/a/./b', undefined],
  ['/a/%2e%2e/b', undefined],
  ['/a/%2E/b', undefined],
  ['/%252e%252e', ['%2e%2e']],
  ['/a%20b/c$d@e', ['a b', 'c$d@e']],
  ['/x%3fy', ['x?y']],
  ['/x%25y%26z', ['x%y&z']],
  ['/a%ffb', undefined],
  ['/a%C0%AEb', undefined],
  ['/a%ED%A0%80b', undefined],
  ['/a%2Fb', ['a/b']],
  ['/a%252Fb', ['a%2Fb']],
  ['/a%00b', undefined],
  ['/a%0Ab', undefined],
  ['/a%7Fb', undefined],
  ['/a%', undefined],
  ['/a%4', undefined],
  ['/a%zz', undefined],
  ['/a;b=c', ['a;b=c']],
  ['/a+b', ['a+b']],
  ['/a%2Bb', ['a+b']],
  ['/a:b', ['a:b']],
  ['/$all', ['$all']],
  ['/%F0%9F%8E%89', ['🎉']],
  ['/e%CC%81', ['e\u0301']],
  ['/%C3%A9', ['é']],
  ['/.htaccess', ['.htaccess']],
  ['/...', ['...']],
  ['/a\\b', ['a\\b']],
]

const segmentsOf = ({ path, problem }: ReturnType<typeof requestHead>) =>
  problem ? undefined : path.split('/').slice(1).map(decodeURIComponent)

describe.each(SHAPES)('under %s', (_name, mount, variablesOf) => {
  test.each(ROUTES)('the path %s is cut at its raw slashes and decoded once', (path, segments) => {
    const head = requestHead({ ...variablesOf(path), REQUEST_METHOD: 'GET' })
    expect(segmentsOf(head)).toEqual(segments)
    if (segments === undefined) expect(head.problem?.code).toBe('bad-request')
    else expect(head).toMatchObject({ mount, path })
  })

  test('the query is what follows the first question mark', () => {
    const query = 'a=1?b&c=%20+x'
    const variables = { ...variablesOf(`/events?${query}`), QUERY_STRING: 'other' }
    expect(requestHead(variables)).toMatchObject({ mount, path: '/events', query })
  })

  test('a target in absolute form is the path in it', () => {
    const { REQUEST_URI, ...others } = variablesOf('/events?x')
    const head = requestHead({ ...others, REQUEST_URI: `http://evil.example${REQUEST_URI}` })
    expect(head).toMatchObject({ mount, path: '/events', query: 'x' })
  })
})

describe('the place of the script', () => {
  test.each<[string, CgiVariables, string, string]>([
    [
      'without a rest',
      { SCRIPT_NAME: '/cgi-bin/apie', REQUEST_URI: '/cgi-bin/apie' },
      '/cgi-bin/apie',
      '/',
    ],
    [
      'a name that only begins like it',
      { SCRIPT_NAME: '/cgi-bin/apie', REQUEST_URI: '/cgi-bin/apie.x/e' },
      '/cgi-bin',
      '/apie.x/e',
    ],
    [
      'encoded otherwise',
      { SCRIPT_NAME: '/my site/apie', REQUEST_URI: '/my%20site/%61pie/e' },
      '/my%20site/%61pie',
      '/e',
    ],
    [
      'slashes that the server merged',
      { SCRIPT_NAME: '/c/apie', REQUEST_URI: '//c//apie/e%20f', PATH_INFO: '/e f' },
      '/c/apie',
      '/e%20f',
    ],
    ['no request target', { SCRIPT_NAME: '/c/a b', PATH_INFO: '/x y?z' }, '/c/a%20b', '/x%20y%3Fz'],
    ['a script that ends in a slash', { SCRIPT_NAME: '/', PATH_INFO: '/e' }, '', '/e'],
    ['nothing at all', {}, '', '/'],
  ])('%s', (_name, variables, mount, path) => {
    expect(requestHead({ REQUEST_METHOD: 'GET', ...variables })).toEqual(
      expect.objectContaining({ mount, path }),
    )
  })

  test('bytes that are lost in PATH_INFO are refused and not taken for others', () => {
    expect(requestHead({ REQUEST_METHOD: 'GET', PATH_INFO: '/a\ufffdb' }).problem).toMatchObject({
      code: 'bad-request',
    })
  })

  test('is found in a path of a million slashes, where work for each pair of them would never end', () => {
    const path = '/a'.repeat(1_000_000)
    const head = requestHead({ SCRIPT_NAME: '/cgi-bin/apie', REQUEST_URI: path })
    expect(head).toMatchObject({ mount: '' })
  })
})

describe('Authorization', () => {
  const of = (variables: CgiVariables) => requestHead(variables).headers['authorization']
  test.each<[string, CgiVariables, string | undefined]>([
    ['as it came', { HTTP_AUTHORIZATION: 'Basic a' }, 'Basic a'],
    ['behind one redirect', { REDIRECT_HTTP_AUTHORIZATION: 'Basic a' }, 'Basic a'],
    ['behind two', { REDIRECT_REDIRECT_HTTP_AUTHORIZATION: 'Basic a' }, 'Basic a'],
    ['behind three', { REDIRECT_REDIRECT_REDIRECT_HTTP_AUTHORIZATION: 'Basic a' }, 'Basic a'],
    [
      'the first of several',
      { HTTP_AUTHORIZATION: 'Basic a', REDIRECT_HTTP_AUTHORIZATION: 'Basic b' },
      'Basic a',
    ],
    [
      'an empty one counts as absent',
      { HTTP_AUTHORIZATION: '', REDIRECT_HTTP_AUTHORIZATION: 'Basic b' },
      'Basic b',
    ],
    ['a rewrite rule without the header', { HTTP_AUTHORIZATION: '' }, undefined],
    ['none', {}, undefined],
    ['what a client may forge', { HTTP_REDIRECT_HTTP_AUTHORIZATION: 'Basic a' }, undefined],
  ])('%s', (_name, variables, value) => expect(of(variables)).toBe(value))
})

describe('headers', () => {
  const of = (variables: CgiVariables) => ({ ...requestHead(variables).headers })
  test.each<[CgiVariables, Record<string, string>]>([
    [{ HTTP_IF_NONE_MATCH: '"x"' }, { 'if-none-match': '"x"' }],
    [{ HTTP_IF_MATCH: '' }, { 'if-match': '' }],
    [{ CONTENT_TYPE: 'a/b', HTTP_CONTENT_TYPE: 'c/d' }, { 'content-type': 'a/b' }],
    [{ HTTP_CONTENT_TYPE: 'c/d', HTTP_CONTENT_LENGTH: '5' }, {}],
    [{ CONTENT_TYPE: '', CONTENT_LENGTH: '' }, {}],
    [{ HTTP___PROTO__: 'x' }, { '--proto--': 'x' }],
    [{ PATH: '/bin', HTTPS: 'on', HTTP: 'x' }, {}],
  ])('%o', (variables, headers) => {
    expect(of(variables)).toEqual({ authorization: undefined, ...headers })
  })

  test('names of the prototype are no headers', () => {
    expect(requestHead({}).headers['constructor']).toBeUndefined()
  })
})

test.each<[CgiVariables, number | undefined, boolean, string | undefined]>([
  [{}, undefined, false, undefined],
  [{ CONTENT_LENGTH: '' }, undefined, false, undefined],
  [{ CONTENT_LENGTH: '0' }, 0, false, undefined],
  [{ CONTENT_LENGTH: '15' }, 15, false, undefined],
  [{ CONTENT_LENGTH: '007' }, 7, false, undefined],
  [{ CONTENT_LENGTH: '-1' }, undefined, true, 'bad-header'],
  [{ CONTENT_LENGTH: '1e3' }, undefined, true, 'bad-header'],
  [{ CONTENT_LENGTH: '5, 5' }, undefined, true, 'bad-header'],
  [{ CONTENT_LENGTH: '9'.repeat(16) }, undefined, true, 'bad-header'],
  [{ HTTP_TRANSFER_ENCODING: 'chunked' }, undefined, true, undefined],
  [{ HTTP_TRANSFER_ENCODING: 'Chunked', CONTENT_LENGTH: '' }, undefined, true, undefined],
  [{ HTTP_TRANSFER_ENCODING: 'chunked', CONTENT_LENGTH: '5' }, 5, false, undefined],
  [{ HTTP_TRANSFER_ENCODING: '' }, undefined, false, undefined],
  [{ HTTP_TRANSFER_ENCODING: 'identity' }, undefined, true, 'bad-header'],
  [{ HTTP_TRANSFER_ENCODING: 'gzip, chunked' }, undefined, true, 'bad-header'],
  [{ HTTP_TRANSFER_ENCODING: 'gzip', CONTENT_LENGTH: '5' }, 5, false, 'bad-header'],
])('the length of the body from %o', (variables, length, chunked, code) => {
  const head = requestHead({ REQUEST_METHOD: 'PUT', ...variables })
  expect([head.contentLength, isOfUnknownLength(variables), head.problem?.code]).toEqual([
    length,
    chunked,
    code,
  ])
})

test.each<[CgiVariables, string]>([
  [{ HTTP_HOST: 'h:81' }, 'http://h:81'],
  [{ HTTP_HOST: 'h', HTTPS: 'on' }, 'https://h'],
  [{ HTTP_HOST: 'h', HTTPS: 'off' }, 'http://h'],
  [{ SERVER_NAME: 's', REQUEST_SCHEME: 'https' }, 'https://s'],
  [{ HTTP_HOST: 'h', HTTP_X_FORWARDED_PROTO: 'https' }, 'http://h'],
  [{}, 'http://localhost'],
])('the origin from %o', (variables, origin) => expect(requestHead(variables).origin).toBe(origin))

test.each<[CgiVariables, string | undefined]>([
  [{ REMOTE_USER: 'ann' }, 'ann'],
  [{ REDIRECT_REMOTE_USER: 'ann' }, 'ann'],
  [{ REMOTE_USER: '' }, undefined],
  [{ HTTP_REMOTE_USER: 'ann' }, undefined],
])('the account that the web server names in %o', (variables, name) => {
  expect(requestHead(variables).remoteUser).toBe(name)
})
