import { describe, expect, it } from 'vitest'
import { createKeyedDigest } from '../../src/kit/keyed-digest.ts'

describe('a keyed digest', () => {
  const digest = createKeyedDigest(64)

  it('is the same for equal texts', () => {
    const text = 'Basic YW5uOnNlY3JldA=='
    expect(digest(text)).toEqual(digest(`${text.slice(0, 8)}${text.slice(8)}`))
  })

  it.each([
    ['another letter', 'Basic YW5uOnNlY3JldB=='],
    ['two letters that changed places', 'Basic YW5uOnNlY3JdlA=='],
    ['a letter less', 'Basic YW5uOnNlY3JldA='],
    ['a NUL behind it', 'Basic YW5uOnNlY3JldA==\0'],
    ['nothing', ''],
  ])('is another one for a text with %s', (_what, other) => {
    expect(digest(other)).not.toEqual(digest('Basic YW5uOnNlY3JldA=='))
  })

  it('is worth nothing to whoever does not know the secret', () => {
    expect(createKeyedDigest(64)('Basic YQ==')).not.toEqual(digest('Basic YQ=='))
  })

  it('is exact for the longest text of the highest characters', () => {
    const most = createKeyedDigest(4096)
    const { first, second } = most('\xff'.repeat(4096)) ?? { first: 0, second: 0 }
    expect(Number.isSafeInteger(first) && Number.isSafeInteger(second)).toBe(true)
    expect(first).toBeGreaterThan(0)
  })

  it('is not made of a text that is too long, or not of Latin-1', () => {
    expect(digest('x'.repeat(64))).toBeDefined()
    expect(digest('x'.repeat(65))).toBeUndefined()
    expect(digest('\u0100')).toBeUndefined()
  })

  it('is not made for texts whose sums a number does not hold', () => {
    expect(() => createKeyedDigest(4097)).toThrow('4096')
  })
})
