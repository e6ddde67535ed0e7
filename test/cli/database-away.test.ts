/** A database that is away: its owner is told where it was looked for, clients are not. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { PROJECT, type Run, run } from '../support/executable.ts'

/** On which nobody listens. */
let port = 0
beforeAll(async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  server.close()
  await once(server, 'close')
})

const apie = (
  words: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<Run> =>
  run(process.execPath, [join(PROJECT, 'src/main.ts'), ...words], {
    environment: { PATH: '/usr/bin:/bin', ...variables },
    limitMs: 30_000,
  })

describe.each([
  ['postgresql', '', () => `host 127.0.0.1, port ${port}, database shop`],
  ['mongodb', '?serverSelectionTimeoutMS=200', () => `host 127.0.0.1:${port}, database shop`],
])('a database of %s that is away', (scheme, query, place) => {
  const variables = () => ({
    APIE_STORE: `${scheme}://ann:secret@127.0.0.1:${port}/shop${query}`,
  })
  const reason = () => `${place()}: connect ECONNREFUSED 127.0.0.1:${port}`

  test.each([[['verify']], [['migrate']]])(
    'is named by %j, without the password',
    async (words) => {
      expect(await apie(words, variables())).toMatchObject({
        status: 1,
        out: '',
        err: `apie: The database cannot be reached [storage-unavailable]\n      ${reason()}\n`,
      })
    },
  )

  test('is the one of --from where copy cannot reach it', async () => {
    const words = ['copy', '--from', variables().APIE_STORE, '--to', 'memory:']
    const { err } = await apie(words, { APIE_STORE: 'memory:' })
    expect(err).toContain(`\n      ${reason()}\n`)
  })

  test('is named by the doctor', async () => {
    const { out } = await apie(['doctor'], variables())
    expect(out).toContain(`The database cannot be reached (${reason()})`)
    expect(out).not.toContain('secret')
  })

  test('is named to the log of a request and not to its client', async () => {
    const request = { GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'GET', PATH_INFO: '/events' }
    const { out, err } = await apie([], { ...variables(), ...request })
    expect(err).toContain(reason())
    expect(err).not.toContain('secret')
    expect(out).toContain('storage-unavailable')
    for (const hidden of ['127.0.0.1', `:${port}`, 'shop', 'secret']) {
      expect(out).not.toContain(hidden)
    }
  })
})
