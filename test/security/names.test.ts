/** Numbers and names that are not what they look like. */
import { describe, expect, it } from 'vitest'
import { basic } from '../support/executable.ts'
import { openTestApp } from '../support/test-app.ts'

const authorization = basic('a@b.c', 'pw')
const NUMBERS = [
  '-1',
  '-0',
  '+1',
  '1.0',
  '1.5',
  '1e3',
  '1E3',
  '0x10',
  '0b1',
  '0o7',
  '010',
  '00',
  ' 5',
  '5 ',
  '5\n',
  '5;6',
  '5,6',
  '1_000',
  '\u0661',
  '\uff11',
  '9007199254740992',
  '9007199254740993',
  '18446744073709551616',
  '1'.repeat(400),
  'NaN',
  'Infinity',
  '-Infinity',
  'null',
  'true',
  '',
  '[]',
  '%31',
  '1%00',
]

describe('a number', () => {
  it('that is none is refused with a message at every place that takes one', async () => {
    const { send, reports } = await openTestApp()
    const headers = { authorization }
    for (const number of NUMBERS) {
      const encoded = encodeURIComponent(number)
      const places: [string, string | undefined][] = [
        ['/events', `limit=${encoded}`],
        ...(number === ''
          ? []
          : ([
              [`/streams/s/${encoded}`, undefined],
              [`/streams/s/${encoded}/backward/5`, undefined],
              [`/streams/s/0/forward/${encoded}`, undefined],
              [`/streams/$all/${encoded}/backward/5`, undefined],
            ] as [string, undefined][])),
      ]
      for (const [path, query] of places) {
        const answer = await send({ method: 'GET', path, headers, ...(query && { query }) })
        expect([number, path, answer.status]).toEqual([number, path, expect.toBeOneOf([400, 404])])
      }
      const put = { method: 'POST', path: '/events', headers }
      const wrong = await send({
        ...put,
        body: `{"eventType":"t","body":1,"expectedVersion":${JSON.stringify(number)}}`,
      })
      expect([number, wrong.status]).toEqual([number, 400])
      if (!/^(-?[0-9]{1,19}|\s*[0-9]\s*|)$/.test(number)) {
        const atom = await send({
          method: 'POST',
          path: '/streams/s',
          headers: {
            ...headers,
            'content-type': 'application/json',
            'es-eventtype': 't',
            'es-eventid': '0190b7a2-0000-7000-8000-0000000000aa',
            'es-expectedversion': number.replace(/[^ -~]/g, '?'),
          },
          body: '{}',
        })
        expect([number, atom.status]).toEqual([number, 400])
      }
    }
    expect(reports).toEqual([])
  })
})

describe('a name', () => {
  const controls = [
    ...Array.from({ length: 32 }, (_, n) => n),
    0x7f,
    ...Array.from({ length: 32 }, (_, n) => 0x80 + n),
  ]
  const bidi = [
    0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
    0x2028, 0x2029,
  ]
  const decomposed = [
    'e\u0301',
    'A\u030a',
    '\u1100\u1161',
    '\u212b',
    '\u2126',
    '\u0958',
    'o\u0302\u0301',
    '\ufb1d',
  ]
  const REFUSED = [
    '',
    'a/b',
    '/',
    'x'.repeat(256),
    '\ud83c\udf89'.repeat(256),
    '\ud800',
    '\udfff',
    'a\ud800b',
    ...[...controls, ...bidi].flatMap((code) => {
      const mark = String.fromCharCode(code)
      return [mark, `a${mark}b`]
    }),
    ...decomposed,
  ]
  const TAKEN = [
    'a',
    'A',
    '\u00e9',
    '\u65e5\u672c',
    '\ud83c\udf89',
    'a b',
    'a-b',
    '\u0430',
    'x'.repeat(255),
    'ﬁ',
    '\u200b',
    '...',
    '.a',
    'a\\b',
    '%2f',
    '$x'.slice(1),
  ]

  const textOf = (value: object) => JSON.stringify(value)

  it('that hides, turns around or doubles another is refused, as type and as stream', async () => {
    const { send, store } = await openTestApp()
    for (const name of REFUSED) {
      for (const body of [
        { eventType: name, body: 1 },
        { eventType: 't', stream: name, body: 1 },
      ]) {
        const answer = await send({
          method: 'POST',
          path: '/events',
          headers: { authorization },
          body: textOf(body),
        })
        expect([name, Object.keys(body), answer.status]).toEqual([name, Object.keys(body), 400])
      }
    }
    expect((await store.log.head()).count).toBe(0)
  })

  it('that no path can hold is refused as stream', async () => {
    const { send, store } = await openTestApp()
    for (const stream of ['.', '..']) {
      const body = textOf({ eventType: 't', stream, body: 1 })
      const answer = await send({
        method: 'POST',
        path: '/events',
        headers: { authorization },
        body,
      })
      expect([answer.status, JSON.parse(answer.body.toString())]).toMatchObject([
        400,
        { code: 'bad-name', field: 'stream' },
      ])
    }
    expect((await store.log.head()).count).toBe(0)
  })

  it('that is taken stays apart from every other, whatever they look like', async () => {
    const { send } = await openTestApp()
    for (const stream of [
      ...TAKEN,
      ...TAKEN.map((name) => name.toUpperCase()).filter(
        (name) => !TAKEN.includes(name) && name.normalize('NFC') === name && name.length < 256,
      ),
    ]) {
      const answer = await send({
        method: 'POST',
        path: '/events',
        headers: { authorization },
        body: textOf({ eventType: 't', stream, body: stream }),
      })
      expect([stream, answer.status]).toEqual([stream, 200])
      expect(JSON.parse(answer.body.toString())).toMatchObject({ stream, version: 0 })
    }
  })
})
