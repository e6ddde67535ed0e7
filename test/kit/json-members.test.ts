import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { indentedJson } from '../../src/kit/json-indent.ts'
import { jsonElements, jsonMembers } from '../../src/kit/json-members.ts'

describe('members of a JSON object', () => {
  it('are the texts they were written as', () => {
    const text = ' { "a" : 1.50 ,"b\\"" : "x\\\\", "c":[1,{"d":"}"}] , "e":{} ,"f":null} '
    expect([...jsonMembers(text)]).toEqual([
      ['a', '1.50'],
      ['b\\"', '"x\\\\"'],
      ['c', '[1,{"d":"}"}]'],
      ['e', '{}'],
      ['f', 'null'],
    ])
    expect([...jsonMembers('{}')]).toEqual([])
  })

  it('are those that JSON.parse finds', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.integer({ min: 0, max: 2 }),
        (value, space) => {
          const members = jsonMembers(JSON.stringify(value, null, space))
          const parsed = Array.from(members, ([name, text]) => [
            JSON.parse(`"${name}"`),
            JSON.parse(text),
          ])
          expect(parsed).toEqual(Object.entries(JSON.parse(JSON.stringify(value))))
        },
      ),
      { seed: 7 },
    )
  })
})

describe('elements of a JSON array', () => {
  it('are those that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.integer({ min: 0, max: 2 }), (value, space) => {
        const parsed = jsonElements(JSON.stringify(value, null, space)).map((text) =>
          JSON.parse(text),
        )
        expect(parsed).toEqual(JSON.parse(JSON.stringify(value)))
      }),
      { seed: 7 },
    )
  })
})

describe('indented JSON', () => {
  it('is what JSON.stringify writes with two spaces', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 2 }), (value, space) => {
        const expected = JSON.stringify(JSON.parse(JSON.stringify(value)), null, 2)
        expect(indentedJson(JSON.stringify(value, null, space))).toBe(expected)
      }),
      { seed: 7 },
    )
  })

  it('keeps numbers as they were written, and indents from a level on', () => {
    expect(indentedJson('{"n":12345678901234567890,"d":1.50}', 2)).toBe(
      '{\n      "n": 12345678901234567890,\n      "d": 1.50\n    }',
    )
  })
})
