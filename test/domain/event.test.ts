import { describe, expect, test } from 'vitest'
import {
  bodyMembers,
  chainHash,
  EMPTY_HASH,
  type EventPlace,
  eventText,
  findEventHash,
  parseEventId,
  parseStoredEvent,
} from '../../src/domain/event.ts'
import { parseStreamName } from '../../src/domain/stream-name.ts'
import { bytesBody, draft, jsonBody, uuid } from '../support/drafts.ts'

/** Two events as the original layout keeps them, and their hashes as `sha256sum` gives them. */
const VECTORS = [
  {
    text: '{"eventId":"00000000-0000-4000-8000-000000000001","eventType":"x","body":{},"createdBy":"a@b.c","createdAt":"2020-01-01T00:00:00.000Z","hash":null}',
    hash: '8efd96dacb66e37c5f9c06562465836c0dba72bb9036bd66d9228acdd6cd56f8',
  },
  {
    text: '{"eventId":"00000000-0000-4000-8000-000000000002","eventType":"x","body":{"n":2},"createdBy":"a@b.c","createdAt":"2020-01-01T00:00:01.500Z","hash":null}',
    hash: 'b0f59c90d9824ae698c02592ec617b8835d514d3c5e3fa225d8b0df3119bfc0b',
  },
]

const PLACE: EventPlace = {
  stream: parseStreamName('order-1'),
  version: 3,
  position: 12,
  createdBy: 'ann "a"',
  createdAtMs: 1_577_836_801_500,
}

describe('hash chain', () => {
  test('the vectors chain from the hash of nothing, as text and as bytes', () => {
    let asText = EMPTY_HASH
    let asBytes = EMPTY_HASH
    for (const { text, hash } of VECTORS) {
      asText = chainHash(asText, text)
      asBytes = chainHash(asBytes, new Uint8Array(Buffer.from(text)))
      expect([asText, asBytes]).toEqual([hash, hash])
    }
  })

  test('text beyond ASCII hashes as its UTF-8 bytes', () => {
    expect(chainHash(EMPTY_HASH, '"Größe 😀"')).toBe(
      chainHash(EMPTY_HASH, Buffer.from('"Größe 😀"', 'utf8')),
    )
  })

  test('a vector is taken apart, with the default stream where it names none', () => {
    const [first] = VECTORS
    const json = Buffer.from(first?.text ?? '')
    const event = parseStoredEvent({ position: 0, hash: EMPTY_HASH, json })
    expect(event).toMatchObject({ eventId: uuid(1), stream: 'default', body: {} })
  })
})

describe('stored text', () => {
  test('members stand in their fixed order, the hash last and null', () => {
    const event = draft(1, { type: 'a"b', body: jsonBody('1.0'), metadata: '{"k":[]}' })
    expect(eventText(event, PLACE)).toBe(
      '{"eventId":"00000000-0000-4000-8000-000000000001","eventType":"a\\"b","stream":"order-1","version":3,"position":12,"body":1.0,"metadata":{"k":[]},"createdBy":"ann \\"a\\"","createdAt":"2020-01-01T00:00:01.500Z","hash":null}',
    )
  })

  test('without metadata there is no such member', () => {
    expect(eventText(draft(1), PLACE)).toContain(',"body":{"n":1},"createdBy":')
  })

  test('bytes are text where they are UTF-8, and Base64 where they are not', () => {
    expect(bodyMembers(bytesBody('text/plain', Buffer.from('ü\n')))).toBe(
      '"body":"ü\\n","mediaType":"text/plain"',
    )
    expect(bodyMembers(bytesBody('a/"b"', Buffer.from([0xc3])))).toBe(
      '"body":"ww==","mediaType":"a/\\"b\\"","encoding":"base64"',
    )
    // A surrogate in UTF-8 (CESU-8) is no UTF-8.
    expect(bodyMembers(bytesBody('a/b', Buffer.from([0xed, 0xa0, 0x80])))).toContain('"base64"')
  })
})

describe('names of events', () => {
  test('a hash is 64 lower-case hex digits and nothing else', () => {
    expect(findEventHash('0123456789abcdef'.repeat(4))).toBe('0123456789abcdef'.repeat(4))
    for (const text of [
      '',
      'a'.repeat(63),
      'a'.repeat(65),
      'A'.repeat(64),
      `${'a'.repeat(64)}\n`,
    ]) {
      expect(findEventHash(text)).toBeUndefined()
    }
  })

  test('an event id is a UUID of any version, kept in lower case', () => {
    expect(parseEventId('0198C000-0000-7000-8000-0000000000AB')).toBe(
      '0198c000-0000-7000-8000-0000000000ab',
    )
    for (const text of ['', 'x', uuid(1).slice(1), `{${uuid(1)}}`, `${uuid(1)}\n`]) {
      expect(() => parseEventId(text)).toThrow(
        expect.objectContaining({ code: 'bad-field', facts: { field: 'eventId' } }),
      )
    }
  })
})
