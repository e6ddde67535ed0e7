import { afterEach, describe, expect, it } from 'vitest'
import {
  type BrittleApi,
  type BrittleApiOptions,
  serveBrittleApi,
} from '../../src/broker/brittle-api.ts'
import { brokerOn, until } from '../support/broker.ts'
import { send } from '../support/http-client.ts'

const served: BrittleApi[] = []
afterEach(async () => {
  for (const api of served.splice(0)) await api.close()
})

async function serve(given: Partial<BrittleApiOptions> = {}) {
  const none = { failureRate: 0, silentFailureRate: 0, minLatency: 0, maxLatency: 0 }
  const api = await serveBrittleApi({ host: '127.0.0.1', port: 0, ...none, ...given })
  served.push(api)
  return `http://127.0.0.1:${api.port}`
}

/** The status of an answer, and 0 where there is none. */
const post = (url: string, body: string) =>
  send(`${url}/api`, { method: 'POST', body }).catch(() => ({ status: 0, bytes: Buffer.of() }))

describe('the unreliable API', () => {
  it.each([
    ['GET', '/up', 200],
    ['HEAD', '/up', 200],
    ['POST', '/up', 400],
    ['GET', '/api', 400],
    ['POST', '/api', 400],
    ['GET', '/else', 404],
  ])('answers %s %s without a body with %i', async (method, path, status) => {
    const answer = await send((await serve()) + path, { method })
    expect(answer.status).toBe(status)
    expect(answer.bytes.length).toBe(0)
  })

  it('answers a text backwards, character by character, however long it is', async () => {
    const url = await serve()
    expect((await post(url, 'héllo 𝄞')).bytes.toString()).toBe('𝄞 olléh')
    expect((await post(url, `${'x'.repeat(5000)}é`)).bytes.toString()).toBe(`é${'x'.repeat(5000)}`)
  })

  it('refuses a text of more than a MiB', async () => {
    expect((await post(await serve(), 'x'.repeat(1024 * 1024 + 1))).status).toBe(413)
  })

  it('fails with 503, or closes the connection', async () => {
    expect((await post(await serve({ failureRate: 1 }), 'a')).status).toBe(503)
    expect((await post(await serve({ failureRate: 1, silentFailureRate: 1 }), 'a')).status).toBe(0)
  })

  it('repeats its fates where it has a seed', async () => {
    const fates = async (seed: number) => {
      const url = await serve({ seed, failureRate: 0.5, silentFailureRate: 0.5 })
      const statuses: number[] = []
      for (let n = 0; n < 24; n++) statuses.push((await post(url, 'a')).status)
      return statuses
    }
    const first = await fates(1)
    expect(new Set(first)).toEqual(new Set([200, 503, 0]))
    expect(await fates(1)).toEqual(first)
    expect(await fates(2)).not.toEqual(first)
  })
})

describe('apie broker brittle-api serve', () => {
  const none = () => {
    throw new Error('it needs no store')
  }

  it('tells its address and ends when it is interrupted', async () => {
    const going = brokerOn(none).start('brittle-api', 'serve', '127.0.0.1:0', '--seed', '1')
    await until('it listens', () => going.lines().length > 0)
    const [, url = ''] =
      /^brittle-api listens on (http:\S+[^/])$/.exec(going.lines()[0] ?? '') ?? []
    expect((await post(url, 'abc')).bytes.toString()).toBe('cba')
    expect((await going.stop()).code).toBe(0)
  })

  it.each([
    [['serve']],
    [['listen', ':0']],
    [['serve', 'here']],
    [['serve', ':65536']],
    [['serve', ':0', '--api-failure-rate', '1.1']],
    [['serve', ':0', '--api-silent-failure-rate', '-0.1']],
    [['serve', ':0', '--api-min-latency', 'NaN']],
    [['serve', ':0', '--api-min-latency', '2', '--api-max-latency', '1']],
    [['serve', ':0', '--seed', '1.5']],
    [['serve', ':0', '--retries', '1']],
  ])('refuses %j as a wrong call', async (words) => {
    expect((await brokerOn(none).run('brittle-api', ...words)).code).toBe(2)
  })

  it('fails where it cannot listen', async () => {
    const port = new URL(await serve()).port
    const { code, err } = await brokerOn(none).run('brittle-api', 'serve', `127.0.0.1:${port}`)
    expect([code, err]).toEqual([
      1,
      `apie: Cannot listen on port ${port} of 127.0.0.1: the address is in use by another program [cannot-listen]\n`,
    ])
  })
})
