import { describe, expect, it } from 'vitest'
import type { EventHash, StoredEvent } from '../../src/domain/event.ts'
import { eventTextSize, eventTextWithHash, findHashHole } from '../../src/domain/event-text.ts'

const HASH = '8efd96dacb66e37c5f9c06562465836c0dba72bb9036bd66d9228acdd6cd56f8'

const stored = (json: string): StoredEvent => ({
  position: 0,
  hash: HASH as EventHash,
  json: Buffer.from(json),
})

const textOf = (json: string) => eventTextWithHash(stored(json)).toString()

describe('the text of an event with its hash', () => {
  it.each([
    ['{"a":1,"hash":null}', `{"a":1,"hash":"${HASH}"}`],
    ['{"hash":null,"a":"é"}', `{"hash":"${HASH}","a":"é"}`],
    ['{"hash":null}', `{"hash":"${HASH}"}`],
    ['{"a":{"hash":null},"hash":null}', `{"a":{"hash":null},"hash":"${HASH}"}`],
    ['{"hash":null,"a":{"hash":null}}', `{"hash":"${HASH}","a":{"hash":null}}`],
    ['{"hash":null,"a":[{"b":1,"hash":null}]}', `{"hash":"${HASH}","a":[{"b":1,"hash":null}]}`],
    ['{"b":",\\"hash\\":null}","hash":null}', `{"b":",\\"hash\\":null}","hash":"${HASH}"}`],
    ['{"hash":null,"b":",\\"hash\\":null}"}', `{"hash":"${HASH}","b":",\\"hash\\":null}"}`],
    ['{"a":"hash","hash":null,"b":2}', `{"a":"hash","hash":"${HASH}","b":2}`],
    ['{"a":"\\\\","hash":null,"b":2}', `{"a":"\\\\","hash":"${HASH}","b":2}`],
    ['{ "hash" : null , "b" : 2 }', `{ "hash" : "${HASH}" , "b" : 2 }`],
    ['{"b":{"hash":null}}', '{"b":{"hash":null}}'],
    ['{"hash":5}', '{"hash":5}'],
  ])('of %s changes nothing else', (json, text) => {
    expect(textOf(json)).toBe(text)
    expect(eventTextSize(stored(json))).toBeGreaterThanOrEqual(Buffer.byteLength(text))
  })

  it('is found in a text that nests and escapes so often that work for each pair would never end', () => {
    const body = `${'['.repeat(100_000)}"${'\\"'.repeat(500_000)}"${']'.repeat(100_000)}`
    const json = Buffer.from(`{"body":${body},"hash":null,"b":1}`)
    expect(findHashHole(json)).toBe(json.length - 11)
  })
})
