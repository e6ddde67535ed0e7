import { expect, it } from 'vitest'
import { isSameSecret, randomSecret } from '../../src/kit/secret.ts'

it('makes secrets of 24 letters and digits, each another one', () => {
  const secrets = Array.from({ length: 500 }, randomSecret)
  for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9]{24}$/)
  expect(new Set(secrets).size).toBe(500)
  expect(new Set(secrets.join('')).size).toBe(62)
})

it('tells equal texts from others, whatever their lengths', () => {
  expect(isSameSecret('abc', 'abc')).toBe(true)
  for (const other of ['abd', 'ab', 'abcd', '', 'ABC'])
    expect(isSameSecret('abc', other)).toBe(false)
})
