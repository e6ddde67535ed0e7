import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  apply,
  carried,
  compared,
  decodeDiff,
  diff,
  encodeDiff,
  recordShape,
} from '../../src/kit/diff.ts'
import { isFlag, isNumber, isText, listOf, nullable } from '../../src/kit/json-check.ts'

type Address = { readonly city: string; readonly zip?: string }
type Person = {
  readonly id: string
  readonly name: string
  readonly age: number | null
  readonly tags: readonly string[]
  readonly active: boolean
  readonly address: Address
}

const isAddress = (value: unknown): value is Address =>
  value !== null && typeof value === 'object' && 'city' in value && isText(value.city)

const fields = {
  id: carried(isText),
  name: compared(isText),
  age: compared(nullable(isNumber)),
  tags: compared(listOf(isText)),
  active: compared(isFlag),
  address: compared(isAddress),
}
const shape = recordShape<Person>(fields)

const ANN: Person = {
  id: 'p1',
  name: 'Ann',
  age: 41,
  tags: ['a', 'b'],
  active: true,
  address: { city: 'Bern', zip: '3000' },
}

const between = (a: Person, b: Person): string =>
  JSON.stringify(encodeDiff(shape, diff(shape, a, b)))
const applied = (json: string): Person => apply(shape, ANN, decodeDiff(shape, JSON.parse(json)))

describe('what a diff says', () => {
  test('a record and itself differ in nothing; carried fields are told all the same', () => {
    expect(between(ANN, structuredClone(ANN))).toBe('{"id":"p1"}')
  })

  test('without carried fields that is the empty object', () => {
    const tags = recordShape<{ tags: readonly string[] }>({ tags: compared(listOf(isText)) })
    expect(encodeDiff(tags, diff(tags, { tags: ['a'] }, { tags: ['a'] }))).toEqual({})
  })

  test.each<[string, Partial<Person>, string]>([
    ['one changed field', { name: 'Bea' }, '{"id":"p1","name":"Bea"}'],
    ['a cleared field', { age: null }, '{"id":"p1","age":null}'],
    ['a list, whole', { tags: ['a', 'b', 'c'] }, '{"id":"p1","tags":["a","b","c"]}'],
    ['an empty list', { tags: [] }, '{"id":"p1","tags":[]}'],
    ['false', { active: false }, '{"id":"p1","active":false}'],
    ['0 and the empty text', { age: 0, name: '' }, '{"id":"p1","name":"","age":0}'],
    [
      'a nested record, whole',
      { address: { city: 'Bern' } },
      '{"id":"p1","address":{"city":"Bern"}}',
    ],
    ['a carried field of the second record', { id: 'p2' }, '{"id":"p2"}'],
    [
      'nothing where only members changed places',
      { address: { zip: '3000', city: 'Bern' } },
      '{"id":"p1"}',
    ],
  ])('it tells %s', (_what, change, json) => {
    const changed = { ...ANN, ...change }
    expect(between(ANN, changed)).toBe(json)
    expect(applied(json)).toEqual(changed)
  })

  test('each field of the diff says by its kind what happens to it', () => {
    expect(diff(shape, ANN, { ...ANN, age: null })).toMatchObject({
      id: { kind: 'carried', value: 'p1' },
      name: { kind: 'unchanged' },
      age: { kind: 'changed', value: null },
    })
  })
})

describe('reading a diff', () => {
  test('an absent key leaves a field as it is, and keys that are no label are overlooked', () => {
    expect(applied('{"id":"p1","other":1,"__proto__":{"name":"x"}}')).toEqual(ANN)
  })

  test('a diff changes its record neither in place nor in other fields', () => {
    const before = structuredClone(ANN)
    expect(applied('{"id":"p1","age":null}')).toEqual({ ...before, age: null })
    expect(ANN).toEqual(before)
  })

  test.each([
    ['null', undefined, 'The diff must be a JSON object'],
    ['[]', undefined, 'The diff must be a JSON object'],
    ['"x"', undefined, 'The diff must be a JSON object'],
    ['{"name":"Bea"}', 'id', 'Field "id" is missing'],
    ['{"id":null}', 'id', 'Field "id" cannot be null'],
    ['{"id":"p1","name":null}', 'name', 'Field "name" cannot be null'],
    ['{"id":"p1","active":null}', 'active', 'Field "active" cannot be null'],
    ['{"id":"p1","age":"41"}', 'age', 'Field "age" has a wrong value'],
    ['{"id":"p1","tags":["a",1]}', 'tags', 'Field "tags" has a wrong value'],
    ['{"id":"p1","tags":{"0":"a"}}', 'tags', 'Field "tags" has a wrong value'],
  ])('%s is refused', (json, label, message) => {
    expect(() => decodeDiff(shape, JSON.parse(json))).toThrow(
      expect.objectContaining({ name: 'DiffError', label, message }),
    )
  })
})

describe('labels', () => {
  const renamed = recordShape<Person>(fields, (field) => `p_${field}`)

  test('the renaming names the keys both ways, and the fields keep their names', () => {
    const changes = diff(renamed, ANN, { ...ANN, name: 'Bea' })
    expect(encodeDiff(renamed, changes)).toEqual({ p_id: 'p1', p_name: 'Bea' })
    const read = decodeDiff(renamed, { p_id: 'p1', p_name: 'Bea', name: 'Cleo' })
    expect(apply(renamed, ANN, read)).toEqual({ ...ANN, name: 'Bea' })
    expect(() => decodeDiff(renamed, {})).toThrow('Field "p_id" is missing')
  })

  test('one label for two fields is refused', () => {
    expect(() => recordShape<Person>(fields, () => 'same')).toThrow('"same" stands for two fields')
  })
})

describe('law', () => {
  const text = fc.oneof(fc.constantFrom('', 'a', '__proto__'), fc.string({ unit: 'binary' }))
  const person: fc.Arbitrary<Person> = fc.record({
    id: text,
    name: text,
    age: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0)),
    tags: fc.array(text, { maxLength: 3 }),
    active: fc.boolean(),
    address: fc.oneof(fc.record({ city: text }), fc.record({ city: text, zip: text })),
  })

  test('a with what leads from a to b is b, through JSON as well', () => {
    fc.assert(
      fc.property(person, person, (a, b) => {
        const changes = diff(shape, a, b)
        expect(apply(shape, a, changes)).toEqual(b)
        const read = decodeDiff(shape, JSON.parse(JSON.stringify(encodeDiff(shape, changes))))
        expect(read).toEqual(changes)
        expect(apply(shape, a, read)).toEqual(b)
      }),
      { seed: 25 },
    )
  })

  test('only the fields that differ are told', () => {
    fc.assert(
      fc.property(person, person, (a, b) => {
        const mixed = { ...a, name: b.name, tags: b.tags }
        const told = Object.keys(encodeDiff(shape, diff(shape, a, mixed)))
        const expected = ['id']
        if (a.name !== b.name) expected.push('name')
        if (JSON.stringify(a.tags) !== JSON.stringify(b.tags)) expected.push('tags')
        expect(told).toEqual(expected)
      }),
      { seed: 26 },
    )
  })
})
