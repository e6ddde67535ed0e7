import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSameJson, parseExactJson } from '../../src/kit/json-equal.ts'

const isSame = (a: string, b: string): boolean => isSameJson(parseExactJson(a), parseExactJson(b))

describe('equal JSON', () => {
  test.each([
    ['1', '1.0'],
    ['-0', '0'],
    ['9007199254740993', '9007199254740993'],
    ['1e400', '1e400'],
    ['"\\u00e9"', '"é"'],
    ['{"a":1,"b":[1,2]}', '{"b":[1,2],"a":1}'],
    ['{"__proto__":1}', '{"__proto__":1}'],
  ])('%s says the same as %s', (a, b) => expect(isSame(a, b)).toBe(true))

  test.each([
    ['1', '"1"'],
    ['null', '{}'],
    ['null', 'false'],
    ['[]', '{}'],
    ['["a"]', '{"0":"a"}'],
    ['[1,2]', '[2,1]'],
    ['{"a":1}', '{"a":1,"b":null}'],
    ['{"a":null}', '{"b":null}'],
    ['{"__proto__":{}}', '{"a":{}}'],
    ['9007199254740993', '9007199254740992'],
    ['1e400', '2e400'],
    ['1e400', '{"source":"1e400"}'],
    ['0.1', '0.10000000000000000001'],
  ])('%s does not say the same as %s', (a, b) => {
    expect(isSame(a, b)).toBe(false)
    expect(isSame(b, a)).toBe(false)
  })

  test('every text says the same as itself, however it is spaced', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const spaced = JSON.stringify(JSON.parse(text), null, 2)
        expect(isSame(spaced, JSON.stringify(JSON.parse(text)))).toBe(true)
      }),
      { seed: 7 },
    )
  })
})
