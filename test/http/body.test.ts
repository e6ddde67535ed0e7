import { describe, expect, it } from 'vitest'
import { readBody, readJson, readText } from '../../src/http/body.ts'
import { httpRequest, pieces } from '../support/app-send.ts'

const limits = { depth: 4, values: 10, keys: 3 }
const bytes = (...texts: string[]) => pieces(texts.map((text) => Buffer.from(text)))
const code = (value: string) => expect.objectContaining({ code: value })

describe('a request body', () => {
  it('is put together from its pieces', async () => {
    const request = httpRequest({ body: bytes('a', 'bc') })
    expect((await readBody(request, 3)).toString()).toBe('abc')
  })

  it('that announces too much is refused before it is read', async () => {
    let isRead = false
    const body = (async function* () {
      isRead = true
      yield Buffer.from('a')
    })()
    const request = httpRequest({ body, contentLength: 4 })
    await expect(readBody(request, 3)).rejects.toThrow(code('body-too-large'))
    expect(isRead).toBe(false)
  })

  it('that brings too much unannounced is refused as soon as it does', async () => {
    let read = 0
    const body = (async function* () {
      for (;;) {
        read++
        yield Buffer.alloc(10)
      }
    })()
    await expect(readBody(httpRequest({ body }), 35)).rejects.toThrow(code('body-too-large'))
    expect(read).toBe(4)
  })

  it.each(['gzip', 'br', 'deflate', 'gzip, gzip'])(
    'packed with %s is refused',
    async (encoding) => {
      const request = httpRequest({ body: bytes('a'), headers: { 'content-encoding': encoding } })
      await expect(readBody(request, 3)).rejects.toThrow(code('media-type-unsupported'))
    },
  )

  it('marked identity is taken', async () => {
    const request = httpRequest({ body: bytes('a'), headers: { 'content-encoding': 'Identity' } })
    expect((await readBody(request, 3)).toString()).toBe('a')
  })

  it.each([[[0xff]], [[0xc0, 0xae]], [[0xed, 0xa0, 0x80]], [[0xe2, 0x82]]])(
    'of the bytes %j is no text',
    async (bad) => {
      const request = httpRequest({ body: pieces([Uint8Array.from(bad)]) })
      await expect(readText(request, 10)).rejects.toThrow(code('bad-request'))
    },
  )

  it('that is no JSON is refused with the place', async () => {
    const request = httpRequest({ body: bytes('{"a":1,}') })
    await expect(readJson(request, 100, limits)).rejects.toThrow(
      expect.objectContaining({ code: 'bad-json', facts: { character: 8 } }),
    )
  })

  it('is held to the limits of JSON', async () => {
    for (const text of ['[[[[[1]]]]]', '{"a":1,"b":2,"c":3,"d":4}', '[1,1,1,1,1,1,1,1,1,1]']) {
      const request = httpRequest({ body: bytes(text) })
      await expect(readJson(request, 100, limits), text).rejects.toThrow(code('bad-json'))
    }
  })
})
