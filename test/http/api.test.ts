import { expect, it } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import type { Api, ApiStyle } from '../../src/http/api.ts'
import { createApp } from '../../src/http/app.ts'
import { defaultStyle } from '../../src/http/default-style.ts'
import { sendTo } from '../support/app-send.ts'

const loud: ApiStyle = {
  answersHead: false,
  guardOrigin: () => {},
  problem: (error, _request, reference) => ({
    status: 418,
    headers: { 'x-code': error.code, ...(reference && { 'x-reference': reference }) },
    body: error.message.toUpperCase(),
  }),
  options: (methods) => ({ status: 200, headers: { 'x-options': methods.join() } }),
  headers: (_request, methods) => ({ 'x-methods': methods.join(), vary: 'X' }),
}

function open() {
  const loads: string[] = []
  const api = (name: string, prefixes: readonly string[], style: ApiStyle): Api => ({
    prefixes,
    load: async () => {
      loads.push(name)
      return {
        style,
        routes: [
          {
            method: 'GET',
            path: `/${name}/:a`,
            access: 'reader',
            handler: async () => ({ status: 200, headers: { vary: 'Accept' }, body: name }),
          },
          {
            method: 'POST',
            path: `/${name}/:a`,
            access: 'reader',
            handler: async () => {
              throw new TypeError('inside')
            },
          },
        ],
      }
    },
  })
  const app = createApp({
    apis: [api('rest', [], defaultStyle({ corsOrigins: [] })), api('loud', ['/loud'], loud)],
    authenticate: async ({ headers }) => {
      if (headers['authorization']) return { name: 'r', role: 'reader', isAnonymous: false }
      throw new AppError('credentials-missing', 'Who are you?')
    },
    settings: { baseUrl: '' },
    report: () => {},
  })
  const send = sendTo(app)
  const ask = async (method: string, path: string, isKnown = true) => {
    const headers = isKnown ? { authorization: 'Basic x' } : {}
    const { status, headers: answered, body } = await send({ method, path, headers })
    return { status, body: body.toString(), headers: answered }
  }
  return { ask, loads }
}

it('loads an API with the first request for one of its paths, and once', async () => {
  const { ask, loads } = open()
  expect((await ask('GET', '/rest/1')).body).toBe('rest')
  expect(loads).toEqual(['rest'])
  expect((await ask('GET', '/loud/1')).body).toBe('loud')
  expect((await ask('GET', '/%6Coud/1')).body).toBe('loud')
  expect(loads).toEqual(['rest', 'loud'])
})

it('lets an API say in its own way what its routes do not decide', async () => {
  const { ask } = open()
  const refused = await ask('GET', '/loud/1', false)
  expect([refused.status, refused.body, refused.headers['x-code']]).toEqual([
    418,
    'WHO ARE YOU?',
    'credentials-missing',
  ])
  expect((await ask('GET', '/loud')).headers['x-code']).toBe('route-not-found')
  expect((await ask('HEAD', '/loud/1')).headers['x-code']).toBe('method-not-allowed')
  const broken = await ask('POST', '/loud/1')
  expect(broken.headers['x-code']).toBe('internal')
  expect(broken.body).toContain(broken.headers['x-reference']?.toString().toUpperCase())
  const options = await ask('OPTIONS', '/loud/1', false)
  expect([options.status, options.headers['x-options']]).toEqual([200, 'GET,POST'])
})

it('adds the headers of an API to every answer, and keeps what the answer varies by', async () => {
  const { ask } = open()
  const { headers } = await ask('GET', '/loud/1')
  expect([headers['x-methods'], headers['vary']]).toEqual(['GET,POST', 'Authorization, X, Accept'])
  expect((await ask('GET', '/loud')).headers['x-methods']).toBe('')
})

it('leaves a path whose beginning only looks like that of an API to the rest', async () => {
  const { ask } = open()
  expect((await ask('GET', '/louder/1')).status).toBe(404)
  expect((await ask('GET', '/loud%2F1')).status).toBe(404)
  expect((await ask('GET', '/loud%ff')).status).toBe(400)
})
