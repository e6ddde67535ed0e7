/**
 * Digests of short texts under a secret of this process, for recognising a text without keeping it: many times
 * cheaper than a cryptographic hash, and worth nothing outside of the process.
 *
 * Multilinear hashing (Carter and Wegman, 1979): the sum of the characters, each times a random number of its
 * place. Whoever does not know the numbers meets the digest of another text with a probability of 2^-64.
 */
import { nodeCrypto } from './node-crypto.ts'

/** Equal texts have equal numbers. */
export type KeyedDigest = { readonly first: number; readonly second: number }

/** With 8 bits a character and 32 bits a number the sums stay below 2^53, which a double holds exactly. */
const LONGEST = 4096

/**
 * @param longest characters of a text
 * @returns the digest; `undefined` where the text is longer, or not of Latin-1
 */
export function createKeyedDigest(longest: number): (text: string) => KeyedDigest | undefined {
  if (longest > LONGEST) throw new Error(`A keyed digest takes ${LONGEST} characters at most`)
  const { buffer, byteOffset } = Buffer.from(nodeCrypto().randomBytes(longest * 8))
  const factors = new Uint32Array(buffer.slice(byteOffset, byteOffset + longest * 8))
  return (text) => {
    if (text.length > longest) return undefined
    let first = 0
    let second = 0
    for (let at = 0; at < text.length; at++) {
      // Not 0, or a text would have the digest of the same text with a NUL behind it.
      const value = text.charCodeAt(at) + 1
      if (value > 256) return undefined
      first += value * (factors[2 * at] ?? 0)
      second += value * (factors[2 * at + 1] ?? 0)
    }
    return { first, second }
  }
}
