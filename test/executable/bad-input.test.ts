/** Bad bodies, names and numbers: a clear error with a code, and nothing stored. */
import { expect, it } from 'vitest'
import { VARIANTS } from '../support/apache-variants.ts'
import { describeServers, type Server } from '../support/servers.ts'
import { errorCode, inParallel } from '../support/use-apache.ts'

const post = (server: Server, body: string | Uint8Array | readonly Uint8Array[]) =>
  server.send('/events', { method: 'POST', body })

/** Every body is refused with a code, and the log is as long as before. */
async function expectRefused(
  server: Server,
  bodies: readonly (readonly [string, string])[],
): Promise<void> {
  const before = await server.count()
  await inParallel(bodies, 4, async ([name, body]) => {
    const answer = await post(server, body)
    expect([name, answer.status, answer.text.slice(0, 200)]).toEqual([
      name,
      expect.toBeOneOf([400, 413]),
      expect.any(String),
    ])
    expect([name, errorCode(answer.text)]).toEqual([name, expect.stringMatching(/^[a-z-]+$/)])
  })
  expect(await server.count()).toBe(before)
}

const event = (body: string) => `{"eventType":"t","body":${body}}`

describeServers('bad input', VARIANTS, (server) => {
  it('of nested, wide, long, doubled or impossible JSON stores nothing', async () => {
    const wide = Array.from({ length: 100_001 }, (_, n) => n)
    const keys = Array.from({ length: 1001 }, (_, n) => `"k${n}":0`)
    await expectRefused(server(), [
      ['65 deep', event('['.repeat(65) + ']'.repeat(65))],
      ['a million deep', event('['.repeat(1_000_000))],
      ['a million deep, closed', event('['.repeat(1_000_000) + ']'.repeat(1_000_000))],
      ['objects, 100 000 deep', event(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)],
      ['too many values', event(JSON.stringify(wide))],
      ['too many keys', event(`{${keys.join(',')}}`)],
      ['the same key twice', event('{"a":1,"a":2}')],
      ['the same key twice, escaped', event('{"a":1,"\\u0061":2}')],
      ['eventType twice', '{"eventType":"t","eventType":"u","body":1}'],
      ['half a surrogate pair', event('"\\ud800"')],
      ['half a surrogate pair in a key', event('{"\\udfff":1}')],
      ['6 MB of text', event(JSON.stringify('x'.repeat(6_000_000)))],
      ['no JSON', 'eventType=t&body=1'],
      ['two texts', `${event('1')}${event('2')}`],
      ['nothing', ''],
      ['a byte order mark alone', '\ufeff'],
      ['NaN', event('NaN')],
      ['a comment', event('1/*x*/')],
    ])
  })

  it('that is not UTF-8 stores nothing', async () => {
    const before = await server().count()
    const bytes = Buffer.concat([
      Buffer.from('{"eventType":"t","body":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ])
    const answer = await post(server(), bytes)
    expect([answer.status, errorCode(answer.text)]).toEqual([400, 'bad-request'])
    expect(await server().count()).toBe(before)
  })

  it('of numbers that no machine holds is kept as it was written', async () => {
    for (const number of ['1e999999', '-0', '0.1000', '123456789012345678901234567890']) {
      const answer = await post(server(), event(number))
      expect([number, answer.status]).toEqual([number, 200])
      expect(answer.text).toContain(`"body":${number},`)
    }
  })

  it('named __proto__, constructor or prototype is data like any other', async () => {
    const bodies = [
      '{"__proto__":{"isAdmin":true}}',
      '{"constructor":{"prototype":{"isAdmin":true}}}',
      '{"a":{"__proto__":null}}',
      '[{"prototype":1},{"__proto__":[1]}]',
      '{"toString":1,"hasOwnProperty":2}',
    ]
    for (const body of bodies) {
      const answer = await post(server(), event(body))
      expect([body, answer.status]).toEqual([body, 200])
      expect(answer.text).toContain(`"body":${body}`)
    }
    const top = await post(server(), '{"eventType":"t","body":1,"__proto__":{"createdBy":"evil"}}')
    expect(JSON.parse(top.text)).toMatchObject({ createdBy: 'admin' })
    const bare = await post(server(), '{"__proto__":{"eventType":"t","body":1}}')
    expect(bare.status).toBe(400)
  })

  it.each(['limit', 'from', 'to', 'after', 'before'])(
    'as query parameter %s is 400 or 404 with a message',
    async (name) => {
      const values = [
        '-1',
        '0',
        '1.5',
        '1e3',
        '0x10',
        '010',
        ' 5',
        '9007199254740993',
        '18446744073709551616',
        'NaN',
        '',
        '１',
      ]
      await inParallel(values, 4, async (value) => {
        const answer = await server().send(`/events?${name}=${encodeURIComponent(value)}`)
        expect([name, value, answer.status]).toEqual([name, value, expect.toBeOneOf([400, 404])])
        expect(JSON.parse(answer.text)).toMatchObject({
          errorMessage: expect.stringMatching(/\w+ \w+/),
        })
      })
    },
  )

  it('of confusing names is refused, and names that differ in case stay apart', async () => {
    const refused = [
      '',
      'a/b',
      'a\u0000b',
      'a\nb',
      '\u202eabc',
      'a\u2066b',
      'e\u0301',
      'x'.repeat(256),
      '\u007f',
      '\u0085',
    ]
    await expectRefused(
      server(),
      refused.flatMap((name) => [
        [
          `type ${JSON.stringify(name.slice(0, 20))}`,
          JSON.stringify({ eventType: name, body: 1 }),
        ] as const,
        [
          `stream ${JSON.stringify(name.slice(0, 20))}`,
          JSON.stringify({ eventType: 't', stream: name, body: 1 }),
        ] as const,
      ]),
    )
    for (const stream of ['Case', 'case', 'CASE']) {
      const answer = await post(server(), JSON.stringify({ eventType: 't', stream, body: 1 }))
      expect(JSON.parse(answer.text)).toMatchObject({ stream, version: 0 })
    }
  })

  it('that is larger than the limit is 413, declared or not, and memory stays flat', async () => {
    const before = await server().count()
    const chunks = Array.from({ length: 100 }, () => Buffer.alloc(1_000_000, 'x'))
    const { answer, grownKib } = await server().watch(post(server(), chunks))
    expect([answer.status, errorCode(answer.text)]).toEqual([413, 'body-too-large'])
    expect(grownKib).toBeLessThan(96 * 1024)
    // Apache itself answers 400 where the client ends before the announced length.
    expect(await server().declare(10_000_000_000)).toMatch(/^HTTP\/1\.1 (413|400) /)
    expect(await server().count()).toBe(before)
  })
})
