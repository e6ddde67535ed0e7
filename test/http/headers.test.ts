/** Headers that are made from, or read from, what clients write. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestedRange } from '../../src/http/byte-range.ts'
import { contentDisposition } from '../../src/http/content-disposition.ts'
import { contentTypeOf, preferredMediaType } from '../../src/http/media-type.ts'
import { httpRequest } from '../support/app-send.ts'

describe('Content-Disposition', () => {
  it.each([
    ['a.txt', 'attachment; filename="a.txt"'],
    ['a b.txt', 'attachment; filename="a b.txt"'],
    ['a"b.txt', `attachment; filename="a_b.txt"; filename*=UTF-8''a%22b.txt`],
    ["é'(1)*.txt", `attachment; filename="_'(1)*.txt"; filename*=UTF-8''%C3%A9%27%281%29%2A.txt`],
    ['🎉', `attachment; filename="_"; filename*=UTF-8''%F0%9F%8E%89`],
    ['a\r\nb', `attachment; filename="a__b"; filename*=UTF-8''a%0D%0Ab`],
  ])('of %j is written so that any client reads it', (filename, header) => {
    expect(contentDisposition('attachment', filename)).toBe(header)
  })

  it('holds nothing but printable ASCII, whatever the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (filename) => {
        const header = contentDisposition('inline', filename)
        expect(header).toMatch(/^inline; filename="[ !#-[\]-~]*"(; filename\*=UTF-8''[!-~]*)?$/)
      }),
      { numRuns: 10_000, seed: 1 },
    )
  })
})

describe('Content-Type', () => {
  const of = (value: string) => contentTypeOf(httpRequest({ headers: { 'content-type': value } }))

  it.each(['text/plain', 'text/plain; charset=utf-8', 'a/b;c="d e"', 'image/svg+xml'])(
    'may be %s',
    (type) => {
      expect(of(type)).toBe(type)
    },
  )

  it.each([
    'text',
    'text/',
    '/plain',
    'a b/c',
    'a/b; c',
    'a/b\r\nx: y',
    'a/é',
    `a/${'b'.repeat(255)}`,
  ])('may not be %j', (type) => {
    expect(() => of(type)).toThrow(expect.objectContaining({ code: 'bad-header' }))
  })

  it('may be missing', () => {
    expect(of('')).toBeUndefined()
    expect(contentTypeOf(httpRequest({}))).toBeUndefined()
  })
})

describe('Accept', () => {
  it.each([
    [undefined, 'a/x'],
    ['*/*', 'a/x'],
    ['b/y', 'b/y'],
    ['b/y;q=0.5, a/x;q=0.4', 'b/y'],
    ['b/*, a/x;q=0.1', 'b/y'],
    ['c/z', undefined],
  ])('%s chooses %s', async (accept, chosen) => {
    const request = httpRequest({ headers: { accept } })
    expect(await preferredMediaType(request, ['a/x', 'b/y'])).toBe(chosen)
  })
})

describe('Range', () => {
  const of = (range: string, size = 10, headers: Record<string, string> = {}) =>
    requestedRange(httpRequest({ headers: { range, ...headers } }), size, 'tag')

  it.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=3-', { start: 3, end: 9 }],
    ['bytes=-4', { start: 6, end: 9 }],
    ['bytes=-11', { start: 0, end: 9 }],
    ['bytes=5-99', { start: 5, end: 9 }],
    ['bytes=0-1,4-5', undefined],
    ['lines=0-1', undefined],
    ['bytes=a-b', undefined],
    ['bytes', undefined],
  ])('%s of ten bytes', async (range, expected) => {
    expect(await of(range)).toEqual(expected)
  })

  it.each([
    ['bytes=10-', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=-1', 0],
  ])('%s of %i bytes cannot be had', async (range, size) => {
    await expect(of(range, size)).rejects.toThrow(
      expect.objectContaining({ code: 'range-not-satisfiable', facts: { size } }),
    )
  })

  it('counts only for the version that If-Range names, and for GET', async () => {
    expect(await of('bytes=0-1', 10, { 'if-range': '"tag"' })).toEqual({ start: 0, end: 1 })
    expect(await of('bytes=0-1', 10, { 'if-range': '"old"' })).toBeUndefined()
    for (const same of ['"tag-gzip"', '"tag";gzip', 'tag-br', 'W/"tag"', '"old", "tag"', '*', '']) {
      expect([same, await of('bytes=0-1', 10, { 'if-range': same })]).toEqual([same, undefined])
    }
    const head = httpRequest({ method: 'HEAD', headers: { range: 'bytes=0-1' } })
    expect(await requestedRange(head, 10, 'tag')).toBeUndefined()
  })
})
