import { describe, expect, it } from 'vitest'
import { parseForm, parseQuery } from '../../src/http/url-encoded.ts'

describe('a query', () => {
  it.each([
    ['stream=a', 'a'],
    ['stream=%C3%A4', 'ä'],
    ['stream=%c3%a4+%41', 'ä A'],
    ['stream=ä', 'ä'],
    ['stream=%F0%9F%98%80', '😀'],
    // The replacement character itself may be a part of a name.
    ['stream=%EF%BF%BD', '\ufffd'],
    ['stream=100%', '100%'],
    ['stream=%zz', '%zz'],
    ['stream=%', '%'],
  ])('%s has the stream %s', (text, stream) => {
    expect(parseQuery(text).get('stream')).toBe(stream)
  })

  it.each([
    ['a=1&stream=%ff', 'stream'],
    ['stream=%C3A4', 'stream'],
    ['stream=%C3&type=%A4', 'stream'],
    ['stream=%C0%AE', 'stream'],
    ['stream=%ED%A0%80', 'stream'],
    ['stream=\ufffd', 'stream'],
    ['%ff=1', '\ufffd'],
  ])('%s is refused, and what was wrong is named', (text, parameter) => {
    expect(() => parseQuery(text)).toThrow(
      expect.objectContaining({ code: 'bad-query', facts: { parameter } }),
    )
  })
})

it('a form whose text is no UTF-8 is refused', () => {
  expect(parseForm('name=%C3%A4').get('name')).toBe('ä')
  expect(() => parseForm('name=ann&password=%ff')).toThrow(
    expect.objectContaining({ code: 'bad-field', facts: { field: 'password' } }),
  )
})
