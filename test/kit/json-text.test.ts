import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonError, type JsonLimits, type ScannedJson, scanJson } from '../../src/kit/json-text.ts'

const LIMITS: JsonLimits = { depth: 64, values: 100_000, keys: 1000 }

/** White space in front makes the quick way step aside, so that the scanner does the work. */
const scanSlowly = (source: string, limits: JsonLimits): ScannedJson =>
  scanJson(` ${source}`, limits)

function failure(source: string, limits = LIMITS): JsonError {
  try {
    scanJson(source, limits)
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
  throw new Error('was taken')
}

describe('text that is taken', () => {
  test.each([
    ['null', 'null'],
    [' true\r\n', 'true'],
    ['\tfalse ', 'false'],
    ['-0', '-0'],
    ['1.0', '1.0'],
    ['1E+400', '1E+400'],
    ['12345678901234567890', '12345678901234567890'],
    ['""', '""'],
    ['"\\/\\b\\f\\n\\r\\t\\"\\\\"', '"\\/\\b\\f\\n\\r\\t\\"\\\\"'],
    ['"\\u00E9\\ud83d\\ude00"', '"\\u00E9\\ud83d\\ude00"'],
    ['"a  b\u2028\u007f\ufeff"', '"a  b\u2028\u007f\ufeff"'],
    ['[ ]', '[]'],
    ['{ }', '{}'],
    ['[ 1 , "2 , 3" , [ ] ]', '[1,"2 , 3",[]]'],
    ['{ "b" : 1 ,\n"a" : { "2" : null , "1" : 0 } }', '{"b":1,"a":{"2":null,"1":0}}'],
    ['{"a":1,"\\u0062":2}', '{"a":1,"\\u0062":2}'],
    ['{"__proto__":1,"constructor":2,"toJSON":3}', '{"__proto__":1,"constructor":2,"toJSON":3}'],
  ])('%j keeps every token as it was written', (source, expected) => {
    expect(scanJson(source, LIMITS).text).toBe(expected)
  })

  test('the members of the outermost object are there one by one, in their order', () => {
    for (const scan of [scanJson, scanSlowly]) {
      const source = '{"b":1.0,"a":{"b":[1]},"":null,"__proto__":"x"}'
      expect([...(scan(source, LIMITS).members ?? [])]).toEqual([
        ['b', '1.0'],
        ['a', '{"b":[1]}'],
        ['', 'null'],
        ['__proto__', '"x"'],
      ])
    }
    expect([...(scanJson('{"\\u0061":1}', LIMITS).members ?? [])]).toEqual([['a', '1']])
    expect(scanJson('{}', LIMITS).members?.size).toBe(0)
  })

  test.each(['[{"a":1}]', '"a"', 'null', '1'])('%s has no members', (source) => {
    expect(scanJson(source, LIMITS).members).toBeUndefined()
    expect(scanSlowly(source, LIMITS).members).toBeUndefined()
  })
})

describe('text that is refused', () => {
  test.each([
    ['', 'Expected a JSON value at character 1'],
    [' ', 'Expected a JSON value at character 2'],
    ['\ufeff1', 'Expected a JSON value at character 1'],
    ['undefined', 'Expected a JSON value at character 1'],
    ['nul', 'Expected a JSON value at character 1'],
    ['nulll', 'Text after the JSON value at character 5'],
    ['1 2', 'Text after the JSON value at character 3'],
    ['01', 'Text after the JSON value at character 2'],
    ['+1', 'Expected a JSON value at character 1'],
    ['.5', 'Expected a JSON value at character 1'],
    ['1.', 'Text after the JSON value at character 2'],
    ['0x10', 'Text after the JSON value at character 2'],
    ['NaN', 'Expected a JSON value at character 1'],
    ['\u00a01', 'Expected a JSON value at character 1'],
    ['"a', 'Unfinished or invalid string at character 1'],
    ['"a\nb"', 'Unfinished or invalid string at character 1'],
    ['"\u0000"', 'Unfinished or invalid string at character 1'],
    ['"\\x"', 'Invalid escape in a string at character 2'],
    ['"\\u12"', 'Invalid escape in a string at character 2'],
    ["'a'", 'Expected a JSON value at character 1'],
    ['[1,]', 'Expected a JSON value at character 4'],
    ['[,1]', 'Expected a JSON value at character 2'],
    ['[1 2]', 'Expected "," at character 4'],
    ['[1', 'Expected "," at character 3'],
    ['{"a":1,}', 'Expected a key in quotes at character 8'],
    ['{a:1}', 'Expected a key in quotes at character 2'],
    ['{"a" 1}', 'Expected ":" at character 6'],
    ['{"a":}', 'Expected a JSON value at character 6'],
    ['{"a":1', 'Expected "," at character 7'],
    ['{"a":1]', 'Expected "," at character 7'],
    ['// x\n1', 'Expected a JSON value at character 1'],
  ])('%j: %s', (source, message) => {
    expect(failure(source).message).toBe(message)
  })

  test('the same key twice in one object, however it is written', () => {
    expect(failure('{"a":1,"a":1}').message).toBe('Key "a" stands twice at character 8')
    expect(failure('[{"a":1,"\\u0061":2}]').message).toBe('Key "a" stands twice at character 9')
    expect(failure('{"__proto__":1,"__proto__":1}').message).toContain('stands twice')
    expect(scanJson('[{"a":1},{"a":{"a":1}}]', LIMITS).text).toBe('[{"a":1},{"a":{"a":1}}]')
  })

  test.each([
    '"\ud83d"',
    '"\ude00\ud83d"',
    '"\\ud83d"',
    '"\\uDE00"',
    '"\\ude00\\ud83d"',
    '"\\ud83dx\\ude00"',
    '{"\\ud800":1}',
    '{"a":"\ud800"}',
  ])('a lone surrogate, raw or escaped: %j', (source) => {
    expect(failure(source).message).toContain('Lone surrogate')
  })
})

describe('limits', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  const scans: readonly (readonly [string, typeof scanJson])[] = [
    ['the quick way', scanJson],
    ['the scanner', scanSlowly],
  ]
  for (const [way, scan] of scans) {
    test(`${way} takes the depth that is allowed and not one more`, () => {
      const limits = { ...LIMITS, depth: 3 }
      expect(scan(nested(3), limits).text).toBe('[[[]]]')
      expect(scan('{"a":{"b":[1]}}', limits).text).toBe('{"a":{"b":[1]}}')
      expect(() => scan(nested(4), limits)).toThrow('Nested deeper than 3')
      expect(() => scan('{"a":{"b":[{}]}}', limits)).toThrow('Nested deeper than 3')
    })

    test(`${way} takes as many values as are allowed and not one more`, () => {
      const limits = { ...LIMITS, values: 4 }
      expect(scan('[1,2,3]', limits).text).toBe('[1,2,3]')
      expect(scan('{"a":[1,2]}', limits).text).toBe('{"a":[1,2]}')
      expect(() => scan('[1,2,3,4]', limits)).toThrow('More than 4 values')
      expect(() => scan('{"a":[1,2,3]}', limits)).toThrow('More than 4 values')
    })

    test(`${way} takes as many keys in one object as are allowed and not one more`, () => {
      const limits = { ...LIMITS, keys: 2 }
      expect(scan('[{"a":1,"b":2},{"a":1,"b":2}]', limits).members).toBeUndefined()
      expect(() => scan('{"a":1,"b":2,"c":3}', limits)).toThrow('More than 2 keys in one object')
    })
  }

  test('1,000,000 nested arrays are refused for their depth, at any place', () => {
    const source = nested(1_000_000)
    expect(failure(source).message).toBe('Nested deeper than 64 at character 65')
    expect(failure(`{"a": ${source}}`).message).toBe('Nested deeper than 64 at character 70')
    expect(failure('['.repeat(1_000_000)).message).toBe('Nested deeper than 64 at character 65')
  })

  test('a string of 50 MB is taken either way', () => {
    const source = `"${'a'.repeat(50_000_000)}"`
    expect(scanJson(source, LIMITS).text.length).toBe(50_000_002)
    expect(scanSlowly(source, LIMITS).text.length).toBe(50_000_002)
  })

  test('a string of 1,000,000 escapes is taken', () => {
    const source = `"${'\\u00e9'.repeat(500_000)}${'\\n'.repeat(500_000)}"`
    expect(scanJson(source, LIMITS).text).toBe(source)
  })
})

describe('both ways', () => {
  const tight: JsonLimits = { depth: 4, values: 20, keys: 4 }

  const outcome = (scan: typeof scanJson, source: string, limits: JsonLimits): unknown => {
    try {
      const { text, members } = scan(source, limits)
      return { text, members: members && [...members] }
    } catch (error) {
      if (error instanceof JsonError) return 'refused'
      throw error
    }
  }

  test('the quick way and the scanner say the same of any JSON', () => {
    const json = fc.oneof(fc.json(), fc.json({ maxDepth: 6 }), fc.json({ stringUnit: 'binary' }))
    fc.assert(
      fc.property(json, fc.constantFrom(LIMITS, tight), (source, limits) => {
        expect(outcome(scanJson, source, limits)).toEqual(outcome(scanSlowly, source, limits))
      }),
      { seed: 11, numRuns: 2000 },
    )
  })

  test('they say the same of JSON with a character changed, and take only what JSON.parse takes', () => {
    const mark = fc.constantFrom(...'{}[],:"\\ 0-.eEtn\n\u0000\ud800')
    fc.assert(
      fc.property(fc.json(), fc.nat(), mark, (source, at, character) => {
        const place = at % (source.length + 1)
        const spoilt = source.slice(0, place) + character + source.slice(place + 1)
        const quick = outcome(scanJson, spoilt, LIMITS)
        expect(quick).toEqual(outcome(scanSlowly, spoilt, LIMITS))
        if (quick !== 'refused') {
          const { text } = quick as { text: string }
          expect(JSON.parse(text)).toEqual(JSON.parse(spoilt))
          expect(text).not.toMatch(/[\t\n\r]/)
        }
      }),
      { seed: 12, numRuns: 3000 },
    )
  })

  test('spaces between the tokens change nothing', () => {
    fc.assert(
      fc.property(fc.json(), (source) => {
        const value: unknown = JSON.parse(source)
        const spaced = JSON.stringify(value, null, '\t')
        expect(scanJson(spaced, LIMITS).text).toBe(JSON.stringify(value))
      }),
      { seed: 13 },
    )
  })
})
