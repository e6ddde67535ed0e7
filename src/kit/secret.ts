/** Secrets that the program makes itself, and comparing what somebody sent with one. */
import { nodeCrypto } from './node-crypto.ts'
import { sha256Bytes } from './sha256.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const LENGTH = 24

/** 24 random letters and digits: 142 bits that a shell, a URL and a header take as they are. */
export function randomSecret(): string {
  let secret = ''
  while (secret.length < LENGTH) {
    // Values beyond the largest multiple of 62 would make the first letters more likely.
    for (const byte of nodeCrypto().randomBytes(LENGTH)) {
      if (byte < 248 && secret.length < LENGTH) secret += LETTERS.charAt(byte % LETTERS.length)
    }
  }
  return secret
}

/** Whether two texts are equal, in a time that does not tell where they differ. */
export function isSameSecret(a: string, b: string): boolean {
  const [left, right] = [sha256Bytes(a), sha256Bytes(b)]
  return left.reduce((difference, byte, at) => difference | (byte ^ (right[at] ?? 256)), 0) === 0
}

/** Whether two digests of one length, as hex digits, are equal, in a time that does not tell where they differ. */
export function isSameDigest(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}
