import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { sha256Bytes, sha256Hex } from '../../src/kit/sha256.ts'
import { sha256Small } from '../../src/kit/sha256-small.ts'

const native = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')

/** Bytes that follow from a seed (Numerical Recipes' generator). */
function bytesOf(length: number, seed: number): Buffer {
  let state = seed
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    }),
  )
}

test('gives the digests that FIPS 180-4 prints as examples', () => {
  expect(sha256Small(Buffer.from('')).toString('hex')).toBe(
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  )
  expect(sha256Small(Buffer.from('abc')).toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

test('agrees with OpenSSL at every length up to five blocks, and on long data', () => {
  for (const length of [...Array(320).keys(), 4095, 65_537]) {
    const data = bytesOf(length, length + 1)
    expect(sha256Small(data).toString('hex'), `${length} bytes`).toBe(native(data))
  }
})

test('a process that hashes more and more changes over without a difference', () => {
  for (let index = 0; index < 400; index++) {
    const data = bytesOf(200, index)
    expect(sha256Hex(data)).toBe(native(data))
    expect(sha256Bytes(data).toString('hex')).toBe(native(data))
  }
})

test('a text is hashed as its UTF-8 bytes', () => {
  expect(sha256Small(Buffer.from('größe')).toString('hex')).toBe(native(Buffer.from('größe')))
  expect(sha256Hex('größe')).toBe(native(Buffer.from('größe')))
})
