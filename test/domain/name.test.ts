import { describe, expect, test } from 'vitest'
import { parseEventType } from '../../src/domain/event.ts'
import { nameProblem } from '../../src/domain/name.ts'
import { parseStreamName, parseWritableStream } from '../../src/domain/stream-name.ts'

const code = (n: number): string => String.fromCodePoint(n)

describe('names', () => {
  test.each([
    'a',
    ' ',
    'order-1',
    '$$order-1',
    '..',
    'Größe',
    '注文',
    '😀',
    'a?b#c%2F\\"\'',
    'x'.repeat(255),
    '😀'.repeat(255),
  ])('%j is one', (name) => {
    expect(nameProblem(name)).toBeUndefined()
    expect(parseStreamName(name)).toBe(name)
    expect(parseEventType(name)).toBe(name)
  })

  test.each([
    ['', 'must not be empty'],
    ['x'.repeat(256), 'must have at most 255 characters'],
    ['😀'.repeat(256), 'must have at most 255 characters'],
    ['a/b', 'must not contain "/"'],
    ['a\u0000', 'must not contain control characters'],
    ['a\tb', 'must not contain control characters'],
    ['a\r\n', 'must not contain control characters'],
    [code(0x7f), 'must not contain control characters'],
    [code(0x85), 'must not contain control characters'],
    [`a${code(0x2028)}b`, 'must not contain control characters'],
    [`a${code(0x202e)}b`, 'must not contain control characters'],
    ['\ud83d', 'must be well-formed Unicode'],
    ['e\u0301', 'must be in Unicode normal form C'],
    ['\u212b', 'must be in Unicode normal form C'],
  ])('%j is none: it %s', (name, problem) => {
    expect(nameProblem(name)).toBe(problem)
  })

  test('of streams with "$" in front are read and not written', () => {
    expect(parseWritableStream('a$')).toBe('a$')
    for (const name of ['$', '$all', '$$order-1']) {
      expect(() => parseWritableStream(name)).toThrow(
        expect.objectContaining({
          code: 'bad-name',
          message: 'stream must not begin with "$"',
          facts: { field: 'stream' },
        }),
      )
    }
  })

  test('a refusal names the field', () => {
    expect(() => parseStreamName('a/b')).toThrow(
      expect.objectContaining({
        code: 'bad-name',
        message: 'stream must not contain "/"',
        facts: { field: 'stream' },
      }),
    )
    expect(() => parseEventType('')).toThrow(
      expect.objectContaining({
        code: 'bad-field',
        message: 'eventType must not be empty',
        facts: { field: 'eventType' },
      }),
    )
  })
})
