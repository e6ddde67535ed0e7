/** Cases about what a write and a deletion are answered, by the state of the stream, the ids and the version. */
import { expect } from 'vitest'
import {
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
import { type CorpusAnswer, type CorpusCase, type Send, signedInCase } from './corpus-request.ts'

const eventsOf = (...numbers: readonly number[]) =>
  numbers.map((n) => ({ eventId: id(n), eventType: 't', data: { n } }))

type Expected = '-2' | '-1' | '-4' | '0' | '1' | '2' | '4'

/**
 * Posts to a stream that two batches have filled, of ids 1 and 2 and of ids 3, 4 and 5: the ids, the expected
 * version, and the number of the first event, or nothing where it is the wrong version.
 */
const RETRIES: readonly (readonly [readonly number[], Expected, number | undefined])[] = [
  [[1, 2], '-2', 0],
  [[1, 2], '-4', 0],
  [[1, 2], '-1', 0],
  [[1, 2], '0', undefined],
  [[1, 2], '4', undefined],
  [[1], '-2', 0],
  [[1], '-1', 0],
  [[1], '0', undefined],
  [[2], '-2', 1],
  [[2], '0', 1],
  [[2], '-1', undefined],
  [[3, 4, 5], '-2', 2],
  [[3, 4, 5], '-4', 2],
  [[3, 4, 5], '1', 2],
  [[3, 4, 5], '-1', undefined],
  [[3, 4, 5], '2', undefined],
  [[3, 4, 5], '4', undefined],
  [[3, 4], '-2', 2],
  [[3, 4], '1', 2],
  [[4, 5], '-2', 3],
  [[4, 5], '2', 3],
  [[4, 5], '1', undefined],
  [[2, 3], '-2', 1],
  [[2, 3], '0', 1],
  [[1, 2, 3, 4, 5], '-1', 0],
  [[1, 2, 3, 4, 5], '-2', 0],
  [[2, 1], '-2', undefined],
  [[1, 3], '-2', undefined],
  [[5, 3], '-2', undefined],
  [[3, 3], '-2', undefined],
  [[5, 6], '-2', undefined],
  [[5, 6], '-4', undefined],
  [[5, 6], '2', undefined],
  [[6, 5], '-2', undefined],
  [[6, 5], '4', undefined],
  [[6, 6], '-2', undefined],
  [[6], '2', undefined],
  [[6], '-1', undefined],
]

const expectWrongVersion = (answer: CorpusAnswer, current: number): void => {
  expectEmpty(answer, 400, 'Wrong expected EventNumber')
  expect(answer.headers['es-currentversion']).toBe(String(current))
}

type Outcome = 'deleted' | 'ended' | number
type Prepare = (send: Send, stream: string) => Promise<void>

const VERSIONS = ['-2', '-1', '-4', '0', '1'] as const
/**
 * Deletions, soft ones and those for ever alike: by the state of the stream what becomes of them at each of the
 * versions. A number: the version is wrong, and this is the current one.
 */
const DELETIONS: readonly (readonly [string, Prepare, readonly Outcome[]])[] = [
  ['was never written', async () => {}, ['deleted', 'deleted', -1, -1, -1]],
  [
    'has only metadata',
    async (send, stream) => expectStatus(await postMetadata(send, stream, { a: 1 }), 201),
    ['deleted', 'deleted', 'deleted', -1, -1],
  ],
  [
    'has two events',
    (send, stream) => fill(send, stream, 2),
    ['deleted', 1, 'deleted', 1, 'deleted'],
  ],
  [
    'was deleted softly',
    async (send, stream) => {
      await fill(send, stream, 2)
      expectStatus(await remove(send, stream), 204)
    },
    ['deleted', 'deleted', 'ended', 1, 'deleted'],
  ],
  [
    'was ended',
    async (send, stream) => {
      await fill(send, stream, 2)
      expectStatus(await remove(send, stream, FOR_EVER), 204)
    },
    ['ended', 'ended', 'ended', 'ended', 'ended'],
  ],
]

const FOR_EVER: Headers = { 'es-harddelete': 'True' }

const deletionCase = (
  [state, prepare, outcomes]: (typeof DELETIONS)[number],
  isHard: boolean,
): CorpusCase =>
  signedInCase(
    `atompub: a stream that ${state} is deleted${isHard ? ' for ever' : ''}`,
    async (send) => {
      for (const [at, version] of VERSIONS.entries()) {
        const stream = `s${at}`
        await prepare(send, stream)
        const headers = { 'es-expectedversion': version, ...(isHard && FOR_EVER) }
        const answer = await remove(send, stream, headers)
        const outcome = outcomes[at] ?? ''
        if (typeof outcome === 'number') expectWrongVersion(answer, outcome)
        else expectEmpty(answer, outcome === 'deleted' ? 204 : 410, 'Stream deleted')
        if (outcome !== 'deleted') continue
        const after = await read(send, `/streams/${stream}`)
        expectEmpty(after, isHard ? 410 : 404, isHard ? 'Deleted' : 'Not Found')
      }
    },
  )

/** Headers of a post of JSON in the order in which they are looked at, each with what is wrong with it. */
const CHECKS: readonly (readonly [string, string, number, string | RegExp])[] = [
  ['accept', 'text/html', 406, 'Not Acceptable'],
  ['content-type', 'image/png', 415, 'Invalid or missing Content-Type'],
  ['es-eventtype', '', 400, /Must include an event type/],
  ['es-eventid', 'x', 400, /^ES-EventId header has wrong format/],
  ['es-expectedversion', '1.5', 400, /^ES-ExpectedVersion header has wrong format/],
  ['es-requiremaster', 'maybe', 400, /^ES-RequireMaster header has wrong format/],
]

/** Posts of one event, or of a batch, and the media types that are not taken there. */
const REFUSED_TYPES: readonly (readonly [string, readonly string[]])[] = [
  ['/streams/s', ['', 'text/html', 'application/atom+xml', 'application/vnd.eventstore.atom+json']],
  [`/streams/s/incoming/${id(1)}`, ['', 'text/plain', EVENTS_JSON, EVENTS_XML]],
  ['/streams/s/metadata', ['', 'text/plain', 'application/json; charset=utf-16']],
]

export const ATOMPUB_RETRY_CASES: readonly CorpusCase[] = [
  signedInCase('atompub: which posts are retries, by ids and version', async (send) => {
    expectStatus(await postBatch(send, 's', eventsOf(1, 2)), 201)
    expectStatus(await postBatch(send, 's', eventsOf(3, 4, 5)), 201)
    for (const [numbers, version, first] of RETRIES) {
      const what = `ids ${numbers} at ${version}`
      const answer = await postBatch(send, 's', eventsOf(...numbers), {
        'es-expectedversion': version,
      })
      const { headers } = answer
      expect([what, answer.status, headers['es-currentversion']]).toEqual([
        what,
        ...(first === undefined ? [400, '4'] : [201, undefined]),
      ])
      if (first !== undefined) expect(local(headers['location'])).toBe(`/streams/s/${first}`)
    }
    expect(await titles(send, '/streams/s')).toEqual(['4@s', '3@s', '2@s', '1@s', '0@s'])
  }),
  signedInCase('atompub: a retry is known in every form and on every route', async (send) => {
    const stored = '/streams/s/0'
    const [event] = eventsOf(1)
    const xml = `<E><e><EventId>${id(1)}</EventId><EventType>x</EventType></e></E>`
    const type = { 'es-eventtype': 'other' }
    const answers = [
      await ask(
        send,
        'POST',
        `/streams/s/incoming/${id(1)}`,
        { ...type, 'content-type': 'application/octet-stream' },
        'x',
      ),
      await postEvent(send, 's', 1),
      await postEvent(send, 's', 1, { 'content-type': 'text/xml' }, '<a/>'),
      await postBatch(send, 's', event ? [event] : []),
      await ask(send, 'POST', '/streams/s', { 'content-type': EVENTS_XML }, xml),
      await postEvent(send, 's', 1, { 'es-eventid': id(1).toUpperCase() }),
      await postEvent(send, 's', 1, { 'es-eventid': `{${id(1)}}` }),
    ]
    for (const answer of answers) {
      expectEmpty(answer, 201, 'Created')
      expect(local(answer.headers['location'])).toBe(stored)
    }
    expect((await feed(send, '/streams/s?embed=rich')).entries).toMatchObject([
      { eventType: 'other', isJson: false },
    ])
  }),
  signedInCase(
    'atompub: a retry is known after its stream was deleted and came back',
    async (send) => {
      expectStatus(await postBatch(send, 's', eventsOf(1, 2)), 201)
      expectStatus(await remove(send, 's'), 204)
      const again = await postBatch(send, 's', eventsOf(1, 2), { 'es-expectedversion': '-1' })
      expect(local(again.headers['location'])).toBe('/streams/s/0')
      expectStatus(await read(send, '/streams/s'), 404)
      for (const _twice of [1, 2]) {
        const answer = await postBatch(send, 's', eventsOf(3, 4), { 'es-expectedversion': '-1' })
        expect(local(answer.headers['location'])).toBe('/streams/s/2')
      }
      expect(await titles(send, '/streams/s')).toEqual(['3@s', '2@s'])
    },
  ),
  signedInCase(
    'atompub: metadata that is posted again is answered as the first time',
    async (send) => {
      const post = (version: string) =>
        postMetadata(send, 's', { a: 1 }, { 'es-eventid': id(1), 'es-expectedversion': version })
      for (const version of ['-1', '-1', '-2']) {
        const answer = await post(version)
        expectEmpty(answer, 201, 'Created')
        expect(local(answer.headers['location'])).toBe('/streams/%24%24s/0')
      }
      expectWrongVersion(await post('0'), 0)
    },
  ),

  ...DELETIONS.flatMap((row) => [deletionCase(row, false), deletionCase(row, true)]),
  signedInCase(
    'atompub: a deletion needs no type, and takes what a body might be',
    async (send) => {
      for (const type of ['', 'image/png', EVENTS_JSON]) {
        await fill(send, 's', 1)
        expectEmpty(await remove(send, 's', { 'content-type': type }), 204, 'Stream deleted')
      }
      expectBad(await remove(send, 's', { 'es-requiremaster': '1' }), /ES-RequireMaster/)
      expectStatus(await remove(send, 's', { 'es-requiremaster': 'TRUE' }), 204)
    },
  ),

  signedInCase('atompub: a post is looked at in a fixed order', async (send) => {
    for (const [at, [, , status, text]] of CHECKS.entries()) {
      const wrong = Object.fromEntries(CHECKS.slice(at).map(([name, value]) => [name, value]))
      const answer = await postEvent(send, 's', 1, wrong)
      expect(answer.reason).toMatch(text)
      expectStatus(answer, status)
    }
    // An id that is missing is asked for before what comes after it is looked at.
    const later = { 'es-expectedversion': 'x', 'es-requiremaster': 'x' }
    expectStatus(await postEvent(send, 's', 1, { ...later, 'es-eventid': '' }), 307)
    // The type of the body comes before that.
    const plain = { 'es-eventid': '', 'content-type': 'text/plain' }
    expectEmpty(await postEvent(send, 's', 1, plain), 415, 'Invalid or missing Content-Type')
    const broken = { 'content-type': EVENTS_JSON, 'es-requireleader': 'x' }
    expectBad(await postEvent(send, 's', 1, broken, '{'), /ES-RequireLeader/)
    expectEmpty(await read(send, '/streams/s'), 404, 'Not Found')
  }),
  ...['-3', '-5', '-6', '1.5', '1e3', '0x1', '- 1', 'x'].map((version) =>
    signedInCase(`atompub: the expected version "${version}" is none`, async (send) => {
      const wrong = { 'es-expectedversion': version }
      const text = 'ES-ExpectedVersion header has wrong format.'
      expectBad(await postEvent(send, 's', 1, wrong), text)
      expectBad(await postBatch(send, 's', eventsOf(1), wrong), text)
      expectBad(await postMetadata(send, 's', {}, wrong), text)
      expectBad(await remove(send, 's', wrong), text)
    }),
  ),
  ...REFUSED_TYPES.map(([path, types]) =>
    signedInCase(`atompub: types of bodies that ${path} does not take`, async (send) => {
      for (const type of types) {
        const headers = { 'content-type': type, 'es-eventtype': 't', 'es-eventid': id(1) }
        const answer = await ask(send, 'POST', path, headers, '[]')
        expectEmpty(answer, 415, 'Invalid or missing Content-Type')
      }
    }),
  ),
  signedInCase('atompub: headers of a batch do not name its events', async (send) => {
    const headers = { 'es-eventtype': 'other', 'es-eventid': 'x' }
    for (const type of [EVENTS_JSON, 'application/vnd.eventstore.event+json']) {
      const answer = await postBatch(send, 's', eventsOf(1, 2), {
        ...headers,
        'content-type': type,
      })
      expect(local(answer.headers['location'])).toBe('/streams/s/0')
    }
    const xml = `<E><e><EventId>${id(3)}</EventId><EventType>t</EventType></e></E>`
    for (const type of [EVENTS_XML, 'application/vnd.eventstore.event+xml']) {
      const answer = await ask(
        send,
        'POST',
        '/streams/s',
        { ...headers, 'content-type': type },
        xml,
      )
      expect(local(answer.headers['location'])).toBe('/streams/s/2')
    }
    const { entries } = await feed(send, '/streams/s?embed=rich')
    expect(entries.map(({ eventType, eventId }) => [eventType, eventId])).toEqual([
      ['t', id(3)],
      ['t', id(2)],
      ['t', id(1)],
    ])
  }),
  signedInCase('atompub: headers go by a newer name as well, which wins', async (send) => {
    const newer = { 'kurrent-eventtype': 'new', 'kurrent-eventid': id(7) }
    const answer = await postEvent(send, 's', 1, { ...newer, 'kurrent-expectedversion': '-1' })
    expectStatus(answer, 201)
    expect((await feed(send, '/streams/s?embed=rich')).entries).toMatchObject([
      { eventId: id(7), eventType: 'new' },
    ])
    expectWrongVersion(await postEvent(send, 's', 2, { 'kurrent-expectedversion': '5' }), 0)
    expectStatus(await remove(send, 's', { 'kurrent-harddelete': 'true' }), 204)
    expectStatus(await read(send, '/streams/s'), 410)
  }),
]
