/** Whatever a client sends, the app answers; never with a failure of its own, never with a broken header. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { basic } from '../../gateway/corpus-request.ts'
import { sendTo } from '../../support/app-send.ts'
import { openTestApp } from '../../support/test-app.ts'

const RUNS = Number(process.env['APIE_FUZZ_RUNS'] ?? 5000)

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '*',
    '"',
    'W/"',
    '\r\nx: y',
    '0'.repeat(64),
    '../..',
    '__proto__',
    '-1',
    '1e3',
  ),
)
const segment = fc.oneof(
  fc.constantFrom('events', 'storage', 'verify', 'user', 'update', 'info', '2c', '0'.repeat(64)),
  text.filter((one) => one.isWellFormed()).map(encodeURIComponent),
  fc.string({ maxLength: 8 }),
)
const header = fc.constantFrom(
  'accept',
  'content-type',
  'content-encoding',
  'if-match',
  'if-none-match',
  'if-range',
  'range',
  'origin',
  'sec-fetch-site',
)
const parameter = fc.tuple(
  fc.constantFrom('from', 'to', 'after', 'before', 'limit', 'order', 'stream', 'type'),
  fc.oneof(text, fc.constantFrom('asc', 'desc', '5')),
)
const body = fc.oneof(
  fc.json(),
  text,
  fc
    .record({ eventType: text, body: fc.jsonValue(), stream: text })
    .map((one) => JSON.stringify(one)),
  fc.uint8Array({ maxLength: 50 }),
)
const request = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'),
  path: fc.array(segment, { minLength: 1, maxLength: 4 }).map((all) => `/${all.join('/')}`),
  query: fc
    .array(parameter, { maxLength: 3 })
    .map((all) =>
      all.map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join('&'),
    ),
  headers: fc.dictionary(header, text, { maxKeys: 4 }),
  body,
})

it('answers any request with a sound response', async () => {
  const { app, reports } = await openTestApp()
  const send = sendTo(app)
  await fc.assert(
    fc.asyncProperty(request, async (any) => {
      const answer = await send({ ...any, headers: { ...any.headers, ...basic('a@b.c', 'pw') } })
      expect(reports).toEqual([])
      expect(answer.status).toBeGreaterThanOrEqual(200)
      expect(answer.status).toBeLessThan(500)
      for (const value of Object.values(answer.headers)) {
        expect(value).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/)
      }
      if (answer.status < 400 || any.method === 'HEAD') return
      expect(JSON.parse(answer.body.toString())).toMatchObject({
        status: 'error',
        code: expect.stringMatching(/^[a-z-]+$/),
      })
    }),
    { numRuns: RUNS, seed: 7 },
  )
})
