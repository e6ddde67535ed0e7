/** Cases about writing to streams of the AtomPub API. */
import { expect } from 'vitest'
import {
  ATOM_JSON,
  ask,
  EVENTS_JSON,
  EVENTS_XML,
  expectBad,
  expectEmpty,
  expectStatus,
  feed,
  fill,
  type Headers,
  id,
  local,
  postBatch,
  postEvent,
  postMetadata,
  read,
  remove,
  titles,
} from './atompub-request.ts'
import { type CorpusCase, json, type Send, serverCase, signedInCase } from './corpus-request.ts'

/** The data of event `n` of stream `s`. */
const dataOf = async (send: Send, target: string, accept = 'application/json'): Promise<string> => {
  const answer = await read(send, target, { accept })
  expectStatus(answer, 200)
  return answer.body.toString()
}

const FORMS: readonly (readonly [string, Headers, string, string])[] = [
  ['JSON', { 'content-type': 'application/json' }, '{"a":1}', '{\n  "a": 1\n}'],
  [
    'JSON with a charset',
    { 'content-type': 'application/json; charset=UTF-8' },
    '[1]',
    '[\n  1\n]',
  ],
  ['text that claims to be JSON', { 'content-type': 'application/json' }, '{a: 1}', '{a: 1}'],
  ['XML', { 'content-type': 'application/xml' }, '<a>1</a>', '<a>1</a>'],
  ['XML as text', { 'content-type': 'text/xml' }, '<a>1', '<a>1'],
  ['raw bytes', { 'content-type': 'application/octet-stream' }, 'x\u0000y', 'x\u0000y'],
]

/** Headers of a post without type, id, … and what they are refused for. */
const REFUSED: readonly (readonly [string, Headers, string | RegExp])[] = [
  [
    'no type',
    { 'es-eventtype': '' },
    'Must include an event type with the request either in body or as ES-EventType header.',
  ],
  ['an id that is none', { 'es-eventid': 'x' }, /ES-EventId header has wrong format/],
  [
    'an id of zeros',
    { 'es-eventid': '00000000-0000-0000-0000-000000000000' },
    /ES-EventId header has wrong format/,
  ],
  [
    'an expected version that is none',
    { 'es-expectedversion': 'x' },
    'ES-ExpectedVersion header has wrong format.',
  ],
  [
    'the expected version -3',
    { 'es-expectedversion': '-3' },
    'ES-ExpectedVersion header has wrong format.',
  ],
  [
    'an expected version below -4',
    { 'es-expectedversion': '-6' },
    'ES-ExpectedVersion header has wrong format.',
  ],
  [
    'a leader that is neither true nor false',
    { 'es-requiremaster': 'maybe' },
    'ES-RequireMaster header has wrong format.',
  ],
]

const BAD_BATCHES: readonly (readonly [string, string])[] = [
  ['no JSON', '{'],
  ['no array', `{"eventId":"${id(1)}","eventType":"t"}`],
  ['no events', '[]'],
  ['an event that is no object', '[1]'],
  ['no id', '[{"eventType":"t"}]'],
  ['an id that is none', '[{"eventId":"x","eventType":"t"}]'],
  ['an id of zeros', '[{"eventId":"00000000-0000-0000-0000-000000000000","eventType":"t"}]'],
  ['no type', `[{"eventId":"${id(1)}"}]`],
  ['an empty type', `[{"eventId":"${id(1)}","eventType":""}]`],
]

const BAD_XML: readonly (readonly [string, string])[] = [
  ['no XML', '<Events><Event>'],
  ['no events', '<Events></Events>'],
  ['no id', '<Events><Event><EventType>t</EventType></Event></Events>'],
  ['no type', `<Events><Event><EventId>${id(1)}</EventId></Event></Events>`],
  [
    'a DTD',
    `<!DOCTYPE E [<!ENTITY x "boom">]><E><e><EventId>${id(1)}</EventId><EventType>&x;</EventType></e></E>`,
  ],
  [
    'an entity that is not known',
    `<E><e><EventId>${id(1)}</EventId><EventType>&x;</EventType></e></E>`,
  ],
]

/** What is sent as `data` (or `metadata`) of a batch, and what is read back as data, metadata and flag. */
const BATCH_DATA: readonly (readonly [string, unknown, string | undefined, boolean])[] = [
  ['an object', { b: 1, a: [1, 2] }, '{"b":1,"a":[1,2]}', true],
  ['a list', [1, { x: null }], '[1,{"x":null}]', true],
  ['a type marker', { $type: 'A, B', d: '2020-01-01' }, '{"$type":"A, B","d":"2020-01-01"}', true],
  ['text that holds an object', '{"a": 1}', '{"a":1}', true],
  ['text', 'just text', undefined, false],
  ['null', null, undefined, false],
  ['nothing', undefined, undefined, false],
]

const EXPECTATIONS = ['-2', '-1', '-4', '0', '1', '2'] as const
type Outcome = number | '400 -1' | '400 1' | '410'
/** By state of the stream: the version of the event, or the refusal, for each of the expectations. */
const MATRIX: readonly (readonly [string, (send: Send) => Promise<void>, readonly Outcome[]])[] = [
  ['never written', async () => {}, [0, 0, '400 -1', '400 -1', '400 -1', '400 -1']],
  [
    'only metadata',
    async (send) => expectStatus(await postMetadata(send, 's', { a: 1 }), 201),
    [0, 0, 0, '400 -1', '400 -1', '400 -1'],
  ],
  ['two events', (send) => fill(send, 's', 2), [2, '400 1', 2, '400 1', 2, '400 1']],
  [
    'soft-deleted',
    async (send) => {
      await fill(send, 's', 2)
      expectStatus(await remove(send, 's'), 204)
    },
    [2, 2, '410', '400 1', 2, '400 1'],
  ],
  [
    'hard-deleted',
    async (send) => {
      await fill(send, 's', 2)
      expectStatus(await remove(send, 's', { 'es-harddelete': 'True' }), 204)
    },
    ['410', '410', '410', '410', '410', '410'],
  ],
]

const matrixCase = ([state, prepare, outcomes]: (typeof MATRIX)[number], at: number): CorpusCase =>
  signedInCase(`atompub: a stream with ${state}, expected ${EXPECTATIONS[at]}`, async (send) => {
    await prepare(send)
    const answer = await postEvent(send, 's', 7, { 'es-expectedversion': EXPECTATIONS[at] ?? '' })
    const outcome = outcomes[at]
    if (typeof outcome === 'number') {
      expectEmpty(answer, 201, 'Created')
      expect(local(answer.headers['location'])).toBe(`/streams/s/${outcome}`)
      expect(await titles(send, '/streams/s/head/backward/1')).toEqual([`${outcome}@s`])
    } else if (outcome === '410') {
      expectEmpty(answer, 410, 'Stream deleted')
    } else {
      expectEmpty(answer, 400, 'Wrong expected EventNumber')
      expect(answer.headers['es-currentversion']).toBe(outcome?.slice(4))
    }
  })

export const ATOMPUB_WRITE_CASES: readonly CorpusCase[] = [
  signedInCase('atompub: an event is answered with where it stands', async (send) => {
    const answer = await postEvent(send, 'a%20b', 1)
    expectEmpty(answer, 201, 'Created')
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(local(answer.headers['location'])).toBe('/streams/a%20b/0')
  }),
  ...FORMS.map(([what, headers, body, shown]) =>
    signedInCase(`atompub: ${what} is posted and read back`, async (send) => {
      expectStatus(await postEvent(send, 's', 1, headers, body), 201)
      expect(await dataOf(send, '/streams/s/0')).toBe(shown)
      const raw = await dataOf(send, '/streams/s/0', 'application/octet-stream')
      expect(raw).toBe(body)
    }),
  ),
  serverCase('atompub: bytes that are no text come back as they are', async (send) => {
    const bytes = Buffer.from([0, 255, 10, 13, 128, 34])
    const headers = { 'content-type': 'application/octet-stream' }
    expectStatus(await postEvent(send, 's', 1, headers, bytes), 201)
    const answer = await read(send, '/streams/s/0', { accept: 'application/octet-stream' })
    expect(answer.headers['content-type']).toBe('application/octet-stream')
    expect(answer.body.equals(bytes)).toBe(true)
  }),
  signedInCase('atompub: JSON in bytes that are no text is kept as it came', async (send) => {
    const bytes = Buffer.from([0x22, 0xff, 0x22])
    expectStatus(await postEvent(send, 's', 1, {}, bytes), 201)
    const answer = await read(send, '/streams/s/0', { accept: 'application/octet-stream' })
    expect(answer.body.equals(bytes)).toBe(true)
  }),
  signedInCase('atompub: numbers keep all their digits', async (send) => {
    const body = '{"n":12345678901234567890,"d":1.50,"e":1E2}'
    expectStatus(await postEvent(send, 's', 1, {}, body), 201)
    expect(await dataOf(send, '/streams/s/0')).toBe(
      '{\n  "n": 12345678901234567890,\n  "d": 1.50,\n  "e": 1E2\n}',
    )
    expect(await dataOf(send, '/streams/s/0', 'text/xml')).toBe(
      '<?xml version="1.0" encoding="utf-8"?><data><n>12345678901234567890</n><d>1.50</d><e>1E2</e></data>',
    )
  }),
  ...REFUSED.map(([what, headers, text]) =>
    signedInCase(`atompub: a post with ${what} is refused`, async (send) => {
      expectBad(await postEvent(send, 's', 1, headers), text)
      expectEmpty(await read(send, '/streams/s'), 404, 'Not Found')
    }),
  ),
  serverCase('atompub: the first thing that is wrong is told', async (send) => {
    const wrong = { 'es-eventid': 'x', 'es-expectedversion': 'x' }
    const noType = await ask(
      send,
      'POST',
      '/streams/s',
      { 'content-type': 'application/json', ...wrong },
      '',
    )
    expectBad(noType, /Must include an event type/)
    expectBad(await postEvent(send, 's', 1, wrong), /ES-EventId/)
    expectBad(await postBatch(send, 's', [], { 'es-expectedversion': 'x' }), /ES-ExpectedVersion/)
  }),
  ...[
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=latin1',
  ].map((type) =>
    signedInCase(`atompub: a body of type "${type}" is 415`, async (send) => {
      const answer = await postEvent(send, 's', 1, { 'content-type': type })
      expectEmpty(answer, 415, 'Invalid or missing Content-Type')
    }),
  ),

  serverCase(
    'atompub: without an id the post is sent on to one that can be repeated',
    async (send) => {
      const answer = await postEvent(send, 's', 1, { 'es-eventid': '' })
      expectStatus(answer, 307)
      expect([answer.reason, answer.body.toString()]).toEqual([
        'Temporary Redirect',
        'Forwarding to idempotent URI',
      ])
      const target = local(answer.headers['location'])
      expect(target).toMatch(/^\/streams\/s\/incoming\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      expectEmpty(await read(send, '/streams/s'), 404, 'Not Found')
      const headers = { 'content-type': 'application/json', 'es-eventtype': 't' }
      for (const _again of [1, 2]) {
        const stored = await ask(send, 'POST', target, headers, '{"a":1}')
        expectStatus(stored, 201)
        expect(local(stored.headers['location'])).toBe('/streams/s/0')
      }
      expect(await titles(send, '/streams/s')).toEqual(['0@s'])
    },
  ),
  signedInCase('atompub: an incoming address takes one event with a type', async (send) => {
    const target = `/streams/s/incoming/${id(1)}`
    const type = { 'es-eventtype': 't' }
    expectBad(
      await ask(
        send,
        'POST',
        '/streams/s/incoming/x',
        { 'content-type': 'application/json', ...type },
        '1',
      ),
      /GUID/,
    )
    expectBad(
      await ask(send, 'POST', target, { 'content-type': 'application/json' }, '1'),
      /event type/,
    )
    const batch = await ask(send, 'POST', target, { 'content-type': EVENTS_JSON, ...type }, '[]')
    expectEmpty(batch, 415, 'Invalid or missing Content-Type')
  }),

  ...BATCH_DATA.map(([what, data, shown, isJson]) =>
    signedInCase(`atompub: a batch with ${what} as data`, async (send) => {
      const event = { eventId: id(1), eventType: 't', ...(data !== undefined && { data }) }
      expectStatus(await postBatch(send, 's', [event]), 201)
      const { entries } = await feed(send, '/streams/s?embed=body')
      expect(entries[0]).toMatchObject({ isJson })
      expect(entries[0]?.['data']).toBe(shown)
      const raw = await dataOf(send, '/streams/s/0', 'application/octet-stream')
      expect(raw).toBe(shown ?? (typeof data === 'string' ? data : ''))
    }),
  ),
  signedInCase('atompub: metadata makes an event JSON, and is told from nothing', async (send) => {
    const events = [
      { eventId: id(1), eventType: 't', data: 'text', metadata: { m: 1 } },
      { eventId: id(2), eventType: 't', data: 'text', metadata: 'words' },
    ]
    expectStatus(await postBatch(send, 's', events), 201)
    const { entries } = await feed(send, '/streams/s?embed=body')
    expect(entries).toMatchObject([
      { isJson: false, isMetaData: true, metaData: 'words' },
      { isJson: true, isMetaData: true, metaData: '{"m":1}', data: 'text' },
    ])
  }),
  signedInCase('atompub: names of members are taken in any case, others dropped', async (send) => {
    const body = `[{"EVENTID":"${id(1)}","EventType":"t","DATA":{"a":1},"MetaData":{"b":2},"more":3}]`
    expectStatus(await ask(send, 'POST', '/streams/s', { 'content-type': EVENTS_JSON }, body), 201)
    const { entries } = await feed(send, '/streams/s?embed=body')
    expect(entries).toMatchObject([{ eventId: id(1), data: '{"a":1}', metaData: '{"b":2}' }])
  }),
  ...BAD_BATCHES.map(([what, body]) =>
    signedInCase(`atompub: a batch with ${what} is refused`, async (send) => {
      const answer = await ask(send, 'POST', '/streams/s', { 'content-type': EVENTS_JSON }, body)
      expectBad(answer, 'Write request body invalid.')
    }),
  ),
  signedInCase('atompub: a batch with one bad event stores nothing', async (send) => {
    const body = `[{"eventId":"${id(1)}","eventType":"t"},{"eventId":"x","eventType":"t"}]`
    expectBad(await ask(send, 'POST', '/streams/s', { 'content-type': EVENTS_JSON }, body), /GUID/)
    expectEmpty(await read(send, '/streams/s'), 404, 'Not Found')
  }),
  serverCase('atompub: five thousand events are taken in one post', async (send) => {
    await fill(send, 's', 5000)
    const page = await feed(send, '/streams/s/0/forward/4096')
    expect([page.entries.length, page.entries[0]?.title, page.headOfStream]).toEqual([
      4096,
      '4095@s',
      false,
    ])
    expect(await titles(send, '/streams/s/head/backward/2')).toEqual(['4999@s', '4998@s'])
  }),

  signedInCase('atompub: a batch in XML becomes JSON', async (send) => {
    const body = `<?xml version="1.0"?><Events>
      <Event><EventId>${id(1)}</EventId><EventType>order-placed</EventType>
        <Data><Order no="7"><Sku>A1</Sku><Line>1</Line><Line>2</Line><Note/></Order></Data>
        <MetaData><u>7</u></MetaData></Event>
      <event><eventid>${id(2)}</eventid><eventtype>a&lt;b</eventtype><data>{"x": 1}</data></event>
      <Other><EventId>${id(3)}</EventId><EventType>t</EventType><Data><![CDATA[a < b & c]]></Data></Other>
    </Events>`
    expectStatus(await ask(send, 'POST', '/streams/s', { 'content-type': EVENTS_XML }, body), 201)
    const { entries } = await feed(send, '/streams/s?embed=tryharder')
    const shown = entries.map(({ eventType, isJson, data }) => [
      eventType,
      isJson,
      isJson === true ? JSON.parse(String(data)) : data,
    ])
    expect(shown).toEqual([
      ['t', false, 'a < b & c'],
      ['a<b', true, { x: 1 }],
      ['order-placed', true, { Order: { '@no': '7', Sku: 'A1', Line: ['1', '2'], Note: null } }],
    ])
    expect(entries[2]).toMatchObject({ metaData: '{\n  "u": "7"\n}' })
  }),
  signedInCase('atompub: what stands in a batch in XML, read as JSON', async (send) => {
    const event = (n: number, data: string) =>
      `<e><EventId>${id(n)}</EventId><EventType>t</EventType>${data}</e>`
    const events = [
      ['<Data a="1"/>', '{"@a":"1"}'],
      ['<Data a="1" b="2">x</Data>', '{"@a":"1","@b":"2","#text":"x"}'],
      ['<Data><x>1</x></Data>', '{"x":"1"}'],
      ['<Data>  <x> 1 </x>  </Data>', '{"x":" 1 "}'],
      ['<Data><x/><x>2</x></Data>', '{"x":[null,"2"]}'],
      ['<Data>[1]</Data>', '[1]'],
      ['<Data>&#65;&amp;</Data>', 'A&'],
      ['<Data></Data>', ''],
      ['', ''],
    ] as const
    const body = `<E>${events.map(([data], at) => event(at + 1, data)).join('')}</E>`
    expectStatus(await ask(send, 'POST', '/streams/s', { 'content-type': EVENTS_XML }, body), 201)
    for (const [at, [data, shown]] of events.entries()) {
      const raw = await dataOf(send, `/streams/s/${at}`, 'application/octet-stream')
      expect([data, raw]).toEqual([data, shown])
    }
  }),
  ...BAD_XML.map(([what, body]) =>
    signedInCase(`atompub: XML with ${what} is refused`, async (send) => {
      const answer = await ask(send, 'POST', '/streams/s', { 'content-type': EVENTS_XML }, body)
      expectBad(answer, 'Write request body invalid.')
    }),
  ),
  signedInCase('atompub: what was written in XML is read in XML and in JSON', async (send) => {
    const body = `<Events><Event><EventId>${id(1)}</EventId><EventType>event-type</EventType><Data><MyEvent><Something>1</Something></MyEvent></Data></Event></Events>`
    expectStatus(await ask(send, 'POST', '/streams/s', { 'content-type': EVENTS_XML }, body), 201)
    expect(await dataOf(send, '/streams/s/0', '*/*')).toContain(
      '<data><MyEvent><Something>1</Something></MyEvent></data>',
    )
    const entry = json(await read(send, '/streams/s/0', { accept: ATOM_JSON }))
    expect(entry).toMatchObject({ content: { data: { MyEvent: { Something: '1' } } } })
  }),

  ...MATRIX.flatMap((row) => EXPECTATIONS.map((_, at) => matrixCase(row, at))),

  signedInCase('atompub: a post that is repeated is answered as the first time', async (send) => {
    await fill(send, 's', 1)
    const events = [1, 2, 3].map((n) => ({ eventId: id(n), eventType: 't', data: { n } }))
    for (const headers of [{}, {}, { 'es-expectedversion': '0' }, { 'es-expectedversion': '-4' }]) {
      const answer = await postBatch(send, 's', events, headers)
      expectStatus(answer, 201)
      expect(local(answer.headers['location'])).toBe('/streams/s/1')
    }
    const head = await postBatch(send, 's', events.slice(0, 2))
    expect(local(head.headers['location'])).toBe('/streams/s/1')
    // Which route and which form it comes by does not matter, nor what it holds.
    const single = await postEvent(send, 's', 2, {}, '"other"')
    expect(local(single.headers['location'])).toBe('/streams/s/2')
    expect(await titles(send, '/streams/s')).toEqual(['3@s', '2@s', '1@s', '0@s'])
  }),
  signedInCase('atompub: ids that are there otherwise are no retry', async (send) => {
    const [a, b, c] = [1, 2, 3].map((n) => ({ eventId: id(n), eventType: 't', data: { n } }))
    if (!a || !b || !c) throw new Error('there are three')
    expectStatus(await postBatch(send, 's', [a, b]), 201)
    const refused: (readonly [readonly (typeof a)[], Headers])[] = [
      [[b, c], {}],
      [[b, a], {}],
      [[c, c], {}],
      [[b], { 'es-expectedversion': '-1' }],
      [[a], { 'es-expectedversion': '0' }],
    ]
    for (const [events, headers] of refused) {
      const answer = await postBatch(send, 's', events, headers)
      expectEmpty(answer, 400, 'Wrong expected EventNumber')
      expect(answer.headers['es-currentversion']).toBe('1')
    }
    expect(await titles(send, '/streams/s')).toEqual(['1@s', '0@s'])
  }),
  signedInCase('atompub: an id of another stream is a new event', async (send) => {
    for (const stream of ['s', 'other']) {
      const answer = await postEvent(send, stream, 1)
      expect(local(answer.headers['location'])).toBe(`/streams/${stream}/0`)
    }
  }),
  signedInCase('atompub: a known id does not bring a deleted stream back', async (send) => {
    await postEvent(send, 's', 1)
    expectStatus(await remove(send, 's'), 204)
    const answer = await postEvent(send, 's', 1)
    expect(local(answer.headers['location'])).toBe('/streams/s/0')
    expectEmpty(await read(send, '/streams/s'), 404, 'Not Found')
  }),

  serverCase('atompub: an event may have 4 MiB and no more', async (send) => {
    const LIMIT = 4 * 1024 * 1024
    const raw = { 'content-type': 'application/octet-stream' }
    expectStatus(await postEvent(send, 's', 1, raw, Buffer.alloc(LIMIT, 'x')), 201)
    const reason = `Too large events received. Limit is ${LIMIT} bytes.`
    expectEmpty(await postEvent(send, 's', 2, raw, Buffer.alloc(LIMIT + 1, 'x')), 413, reason)
    const text = 'x'.repeat(LIMIT - 2)
    const event = (n: number, metadata?: unknown) => ({
      eventId: id(n),
      eventType: 't',
      data: text,
      metadata,
    })
    expectStatus(await postBatch(send, 's', [event(3), event(4)]), 201)
    expectEmpty(await postBatch(send, 's', [event(5, { a: 1 })]), 413, reason)
    expect(await titles(send, '/streams/s')).toEqual(['2@s', '1@s', '0@s'])
  }),
  signedInCase('atompub: one node is always the leader', async (send) => {
    for (const name of ['es-requiremaster', 'es-requiresmaster', 'es-requireleader']) {
      expectStatus(await postEvent(send, 's', 1, { [name]: 'True' }), 201)
      expectStatus(await read(send, '/streams/s', { [name]: 'FALSE' }), 200)
      for (const path of ['', '/0', '/head', '/0/forward/5', '/metadata']) {
        const answer = await read(send, `/streams/s${path}`, { [name]: '1' })
        expectBad(answer, /header has wrong format/)
      }
      expectBad(await read(send, '/streams/$all', { [name]: 'x' }), /header has wrong format/)
    }
  }),
  signedInCase('atompub: nobody writes what only the store writes', async (send) => {
    for (const stream of ['$all', '%24all', '$streams', '$ce-a', '$et-t']) {
      const answer = await postEvent(send, stream, 1)
      expectEmpty(answer, 401, 'Unauthorized')
      expect(answer.headers['www-authenticate']).toBe('Basic realm="ES"')
    }
    expectBad(await postEvent(send, 's', 1, { 'es-eventtype': '$streamDeleted' }), /store itself/)
  }),
  signedInCase('atompub: a name that no stream can have is refused', async (send) => {
    for (const name of ['a%07b', 'x'.repeat(256), 'e%CC%81']) {
      expectStatus(await postEvent(send, name, 1), 400)
    }
  }),
]
