/** Paths that would leave the store: nothing outside of it is read, written or removed. */
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { count, pick } from '../crash/crash-run.ts'
import { VARIANTS } from '../support/apache-variants.ts'
import { describeServers } from '../support/servers.ts'
import { inParallel } from '../support/use-apache.ts'
import { chance, keptCases, scaled, tried } from './security-run.ts'

const UNSHARED = VARIANTS.filter(({ suexec }) => !suexec)
const CASES = { serve: 5000, apache: 150 }

const STEPS = [
  '..',
  '.',
  '%2e%2e',
  '%2E.',
  '.%2e',
  '%252e%252e',
  '%c0%ae%c0%ae',
  '%e0%80%ae%e0%80%ae',
  '..%c0%af',
  '%uff0e%uff0e',
  '\\..',
  '%5c..',
  '..%5c',
  '..;',
  '%2e%2e%3b',
  '...',
  '....//',
  '%00',
  'a%00',
  '%0a',
  '%0d%0a',
  '%7f',
  '~',
  '~root',
  '%ef%bc%8e%ef%bc%8e',
  '%e2%80%a4%e2%80%a4',
  'outside.txt',
  'data',
  'log',
  '00000001.log',
  'records',
  'format',
  '.htaccess',
  'setup-token',
  'attempts',
  'proc',
  'self',
  'environ',
  'etc',
  'passwd',
  'C:',
  '%43%3a',
  'NUL',
  'x'.repeat(300),
  '',
]
const ROOTS = [
  '/storage',
  '/events',
  '/streams',
  '/users',
  '/subscriptions',
  '/info',
  '',
  '/storage/2c',
  '/streams/a/incoming',
]
const JOINTS = ['/', '/', '/', '//', '%2f', '%252f', '%5c', '/./']
const METHODS = ['GET', 'GET', 'HEAD', 'PUT', 'DELETE', 'POST']

describeServers('a path', UNSHARED, (server) => {
  it('reaches nothing outside the store, by whatever spelling and method', async () => {
    const { dataFolder, path } = server()
    const outside = join(dirname(dataFolder), 'outside.txt')
    writeFileSync(outside, 'shibboleth')
    const format = readFileSync(join(dataFolder, 'format'), 'utf8')
    const random = chance(20_260_206)
    const check = async (line: string) => {
      const [method = 'GET', target = '/'] = line.split(' ')
      const sent =
        method === 'PUT' || method === 'POST'
          ? { body: 'x', headers: { 'content-type': 'application/json' } }
          : {}
      const answer = await server().send(target, { method, ...sent })
      expect(answer.status).toBeOneOf([
        200, 201, 204, 301, 307, 400, 401, 403, 404, 405, 406, 411, 414, 415,
      ])
      expect(answer.text).not.toMatch(/shibboleth|root:x:|storeId|GATEWAY_INTERFACE=/)
    }
    const lines = Array.from({ length: scaled(path === '' ? CASES.serve : CASES.apache) }, () => {
      const steps = Array.from(
        { length: 1 + Math.floor(random() * 5) },
        () => pick(random, JOINTS) + pick(random, STEPS),
      )
      return `${pick(random, METHODS)} ${`${pick(random, ROOTS)}${steps.join('')}`.replace(/^(?!\/)/, '/')}`
    })
    const all = [...keptCases('path'), ...lines]
    await inParallel(all, 8, (line) => tried('path', line, check))
    count('fuzzed requests', all.length)
    expect(existsSync(outside)).toBe(true)
    expect(existsSync(join(dirname(dataFolder), 'x'))).toBe(false)
    expect(readFileSync(outside, 'utf8')).toBe('shibboleth')
    expect(readFileSync(join(dataFolder, 'format'), 'utf8')).toBe(format)
    unlinkSync(outside)
  })
})
