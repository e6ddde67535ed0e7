import { describe, expect, it } from 'vitest'
import { isKnownToClient, parseTagCondition, quoteTag } from '../../src/http/conditional.ts'

describe('entity tags', () => {
  it('are quoted', () => {
    expect(quoteTag('ab')).toBe('"ab"')
  })

  it.each([
    'ab',
    '"ab"',
    'W/"ab"',
    '"ab-gzip"',
    'W/"ab-gzip"',
    '"ab-br"',
    '"ab-deflate"',
    '"ab;gzip"',
    '"ab"-gzip',
    '  "ab"  ',
  ])('are recognised as %s', (header) => {
    expect(parseTagCondition(header)).toEqual({ kind: 'tags', tags: ['ab'] })
    expect(isKnownToClient(header, 'ab')).toBe(true)
    expect(isKnownToClient(header, 'abc')).toBe(false)
  })

  it('may be a list or anything', () => {
    expect(parseTagCondition('"x", W/"ab-gzip",,cd')).toEqual({
      kind: 'tags',
      tags: ['x', 'ab', 'cd'],
    })
    expect(parseTagCondition('*')).toEqual({ kind: 'any' })
    expect(isKnownToClient('*', 'ab')).toBe(true)
  })

  it('are no condition where the header is missing', () => {
    expect(parseTagCondition(undefined)).toBeUndefined()
    expect(isKnownToClient(undefined, 'ab')).toBe(false)
  })

  it.each([
    ['""', ['']],
    ['W/""', ['']],
    ['"", ""', ['', '']],
    ['"*"', ['*']],
    ['"a,b" , c', ['a,b', 'c']],
    [', "ab" ,,', ['ab']],
    ['Wab', ['Wab']],
  ])('are read from %s', (header, tags) => {
    expect(parseTagCondition(header)).toEqual({ kind: 'tags', tags })
    expect(isKnownToClient(header, 'x')).toBe(false)
  })

  it.each([
    '',
    ' ',
    ' , ',
    '"',
    '"ab',
    'ab"',
    'W/',
    'W/"ab',
    '"a b"',
    '"ab" "cd"',
    'a b',
    '"ab"cd',
  ])('are malformed in %j', (header) => {
    expect(parseTagCondition(header)).toBe('malformed')
    expect(isKnownToClient(header, 'ab')).toBe(false)
  })
})
