import { describe, expect, it } from 'vitest'
import { findContentHash, parseFilename } from '../../src/domain/content-store.ts'

describe('a file name', () => {
  it.each(['a', 'a b.txt', 'ä🎉', `${'n'.repeat(251)}.txt`, 'CON'])('may be %s', (name) => {
    expect(parseFilename(name)).toBe(name)
  })

  it('is kept in normal form C', () => {
    expect(parseFilename('e\u0301.txt')).toBe('\u00e9.txt')
  })

  it.each([
    '',
    '.',
    '..',
    '.htaccess',
    'a/b',
    'a\\b',
    '/etc/passwd',
    'a\u0000b',
    'a\nb',
    'a\u007fb',
    'a\u0085b',
    'a\u2028b',
    '\u202etxt.exe',
    '\ud800',
    'n'.repeat(256),
    'ä'.repeat(128),
  ])('may not be %j', (name) => {
    expect(() => parseFilename(name)).toThrow(expect.objectContaining({ code: 'bad-name' }))
  })
})

describe('the address of content', () => {
  it('is 64 lower-case hex digits', () => {
    expect(findContentHash('0f'.repeat(32))).toBe('0f'.repeat(32))
  })

  it.each([
    '',
    '0F'.repeat(32),
    '0'.repeat(63),
    '0'.repeat(65),
    `${'0'.repeat(64)}\n`,
    '../'.repeat(21),
  ])('is not %j', (text) => {
    expect(findContentHash(text)).toBeUndefined()
  })
})
