import { describe, expect, it } from 'vitest'
import { xmlOfJson } from '../../../src/api/atompub/json-to-xml.ts'
import { writeXml } from '../../../src/api/atompub/xml-writer.ts'
import type { JsonText } from '../../../src/kit/json-text.ts'

const xml = (json: string) =>
  writeXml({ data: xmlOfJson(json as JsonText) }).replace(/^<\?.*?\?>/, '')

describe('JSON as XML', () => {
  it.each([
    [
      '{"z":1,"10":2,"2":3,"a":4}',
      '<data><z>1</z><_x0031_0>2</_x0031_0><_x0032_>3</_x0032_><a>4</a></data>',
    ],
    ['{"":5,"_":6}', '<data><_>5</_><_>6</_></data>'],
    ['{"":[1,2],"_":{"a":3}}', '<data><_>1</_><_>2</_><_><a>3</a></_></data>'],
    ['{ "a" : [ 1 , { "b" : null } ] , "c" : [ ] }', '<data><a>1</a><a><b /></a></data>'],
    ['[1,"x",[true]]', '<data><item>1</item><item>x</item><item><item>true</item></item></data>'],
    [
      '{"@x":"1 \\"2\\"","#text":"t","n":{"@y":null,"@z":[1]}}',
      '<data x="1 &quot;2&quot;">t<n y=""><_x0040_z>1</_x0040_z></n></data>',
    ],
    [
      '{"\\u0061\\n":"\\u00e9","__proto__":1}',
      '<data><a_x000A_>é</a_x000A_><__proto__>1</__proto__></data>',
    ],
    ['12345678901234567890.50', '<data>12345678901234567890.50</data>'],
    [' "text" ', '<data>text</data>'],
    ['null', '<data />'],
    ['{}', '<data />'],
  ])('of %s keeps the order, and every member', (json, expected) => {
    expect(xml(json)).toBe(expected)
  })
})
