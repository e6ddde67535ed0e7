/** Cases about bytes above 127 in headers and addresses: one rule, whatever a server makes of them on the way. */
import { expect } from 'vitest'
import { expectStatus, postEvent } from './atompub-request.ts'
import {
  type CorpusCase,
  type EventJson,
  expectError,
  get,
  json,
  putEvent,
  serverCase,
  utf8,
} from './corpus-request.ts'

/** Latin-1, a character cut off, one written too long, half a surrogate pair, and what stands for all of them. */
const NO_UTF8 = ['t\xe9', 't\xc3', '\xc0\xaf', '\xed\xa0\x80', utf8('\ufffd')]

const TYPES = ['t\u00e9', '\u65e5\u672c', '\u{1f389}']

export const BYTE_CASES: readonly CorpusCase[] = [
  serverCase('a header is UTF-8: the type of an event is kept as it was sent', async (send) => {
    for (const [n, type] of TYPES.entries()) {
      expectStatus(await postEvent(send, 's', n, { 'es-eventtype': utf8(type) }), 201)
    }
    const events = json(await get(send, '/events')) as EventJson[]
    expect(events.map(({ eventType }) => eventType)).toEqual(TYPES)
  }),
  serverCase('a header that is no UTF-8 is refused, and nothing is stored', async (send) => {
    for (const value of NO_UTF8) {
      const posted = await postEvent(send, 's', 1, { 'es-eventtype': value })
      expect([value, posted.status]).toEqual([value, 400])
    }
    const cookies = await get(send, '/events', { cookie: 'a=t\xe9', 'user-agent': '\xe9' })
    expect(cookies.status).toBe(200)
    for (const header of ['if-match', 'idempotency-key']) {
      const put = await putEvent(send, { eventType: 't', body: 1 }, { [header]: 't\xe9' })
      expectError(put, 400, 'bad-header', { header })
    }
    expect(json(await get(send, '/events'))).toEqual([])
  }),
  serverCase('an address that is not percent-encoded is refused', async (send) => {
    for (const name of [utf8('t\u00e9'), 't\xe9']) {
      for (const path of [`/events/${name}`, `/events?stream=${name}`]) {
        expectError(await get(send, path), 400, 'bad-request')
      }
    }
  }),
]
