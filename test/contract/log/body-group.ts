import { describe, expect, test } from 'vitest'
import { chainHash, EMPTY_HASH, type EventBody, eventText } from '../../../src/domain/event.ts'
import { streamSequence, typeSequence } from '../../../src/domain/sequence.ts'
import { appendTo, bytesBody, draft, jsonBody, membersOf, textOf } from '../../support/drafts.ts'
import type { Open } from './open.ts'

const JSON_TEXTS = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1.0',
  '1e400',
  '-1E-400',
  '12345678901234567890',
  '""',
  '"\\u0000\\t\\n\\u00e9\\/"',
  '"\\ud83d\\ude00"',
  '"Größe 😀 \u2028 \u007f"',
  '[]',
  '{}',
  '[[[]],{"":{}}]',
  '{"2":1,"1":2,"__proto__":{"x":1},"hash":null}',
]

const BYTES: readonly (readonly [string, EventBody, string])[] = [
  [
    'UTF-8 text as text',
    bytesBody('text/plain; charset=utf-8', Buffer.from('Grüße\t"x"\r\n')),
    '"body":"Grüße\\t\\"x\\"\\r\\n","mediaType":"text/plain; charset=utf-8","createdBy"',
  ],
  [
    'a byte order mark with the text behind it',
    bytesBody('text/csv', Buffer.from('\ufeffa;b')),
    '"body":"\ufeffa;b","mediaType":"text/csv","createdBy"',
  ],
  [
    'no bytes at all as empty text',
    bytesBody('application/octet-stream', new Uint8Array()),
    '"body":"","mediaType":"application/octet-stream","createdBy"',
  ],
  [
    'bytes that are no UTF-8 as Base64',
    bytesBody('image/png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00])),
    '"body":"iVBOR/8A","mediaType":"image/png","encoding":"base64","createdBy"',
  ],
]

/** Whatever an event says comes back as it was said. */
export function bodyGroup(open: Open): void {
  describe('bodies', () => {
    test('JSON of every kind is kept as it was written', async () => {
      const { store } = await open()
      for (const [n, text] of JSON_TEXTS.entries()) {
        await store.log.append(appendTo('s', [draft(n, { body: jsonBody(text) })]))
        expect(textOf(await store.log.read(n))).toContain(`,"body":${text},"createdBy":`)
      }
    })

    test('metadata of every kind is kept as it was written', async () => {
      const { store } = await open()
      for (const [n, metadata] of JSON_TEXTS.entries()) {
        await store.log.append(appendTo('s', [draft(n, { metadata })]))
        expect(textOf(await store.log.read(n))).toContain(`,"metadata":${metadata},"createdBy":`)
      }
    })

    for (const [what, body, expected] of BYTES) {
      test(`keeps ${what}`, async () => {
        const { store } = await open()
        await store.log.append(appendTo('s', [draft(1, { body })]))
        expect(textOf(await store.log.read(0))).toContain(expected)
      })
    }

    test('an event of 4 MiB is stored and read, with neighbours on both sides', async () => {
      const { store } = await open()
      const large = jsonBody(`"${'ab12'.repeat(1024 * 1024)}"`)
      const batch = [draft(1), draft(2, { body: large }), draft(3)]
      await store.log.append(appendTo('s', batch))
      const stored = await store.log.read(1)
      expect(stored?.json.length).toBeGreaterThan(4 * 1024 * 1024)
      expect(textOf(stored)).toContain(large.kind === 'json' ? large.text : 'never')
      const ids: unknown[] = []
      while (ids.length < batch.length) {
        const page = await store.log.readSequence(streamSequence('s'), ids.length, 'forwards', 10)
        expect(page.length).toBeGreaterThan(0)
        for (const { event } of page) ids.push(membersOf(event)['eventId'])
      }
      expect(ids).toEqual(batch.map(({ eventId }) => eventId))
    })

    test('names and accounts of any script are kept and found', async () => {
      const { store } = await open()
      const names = ['Größe-1', '注文-1', '😀', 'a b', '%41', '...', 'CON', '"\\', 'a'.repeat(255)]
      for (const [n, name] of names.entries()) {
        const request = appendTo(name, [draft(n, { type: name })], { createdBy: `${name}\n"` })
        await store.log.append(request)
        const event = membersOf(await store.log.read(n))
        expect([event['stream'], event['eventType'], event['createdBy']]).toEqual([
          name,
          name,
          `${name}\n"`,
        ])
        for (const sequence of [streamSequence(name), typeSequence(name)]) {
          expect(await store.log.sequenceHead(sequence)).toEqual({ number: 0, position: n })
        }
      }
    })

    test.each(['.', '..'])(
      'a stream %s is read where there is one, and never written',
      async (name) => {
        const { store } = await open()
        const { stream } = appendTo(name, [])
        const place = { stream, version: 0, position: 0, createdBy: 'a', createdAtMs: 0 }
        const json = Buffer.from(eventText(draft(1), place))
        const hash = chainHash(EMPTY_HASH, json)
        await store.log.importEvents(
          (async function* () {
            yield { json, hash, previous: EMPTY_HASH }
          })(),
        )
        await expect(store.log.append(appendTo(name, [draft(2)]))).rejects.toMatchObject({
          code: 'bad-name',
          facts: { field: 'stream' },
        })
        expect(await store.log.head()).toEqual({ count: 1, hash })
        expect(await store.log.sequenceHead(streamSequence(name))).toEqual({
          number: 0,
          position: 0,
        })
        expect(membersOf(await store.log.findEventId(stream, draft(1).eventId))['stream']).toBe(
          name,
        )
        expect((await store.log.append(appendTo(name, [draft(1)]))).kind).toBe('already-there')
      },
    )
  })
}
