import type { Hash } from 'node:crypto'
import { nodeCrypto } from './node-crypto.ts'
import { sha256Small } from './sha256-small.ts'

/** Bytes that a process hashes without `node:crypto` before loading that is worth it. */
let smallBytesLeft = 16_384

/** SHA-256 of one text or one run of bytes, as 64 lower-case hex digits (FIPS 180-4). */
export function sha256Hex(data: string | Uint8Array): string {
  if (isWorthLoading(data)) return nodeCrypto().hash('sha256', data, 'hex')
  return sha256Small(Buffer.from(data as string)).toString('hex')
}

/** SHA-256 of one text or one run of bytes, as 32 bytes. */
export function sha256Bytes(data: string | Uint8Array): Buffer {
  if (isWorthLoading(data)) return nodeCrypto().hash('sha256', data, 'buffer')
  return sha256Small(Buffer.from(data as string))
}

/** SHA-256 of one text, as 32 characters of one byte each: the cheapest form where a few bytes are wanted. */
export function sha256Latin1(text: string): string {
  if (isWorthLoading(text)) return nodeCrypto().hash('sha256', text, 'binary')
  return sha256Small(Buffer.from(text)).toString('latin1')
}

/** A SHA-256 that is fed piece by piece. */
export function startSha256(): Hash {
  return nodeCrypto().createHash('sha256')
}

function isWorthLoading(data: string | Uint8Array): boolean {
  if (smallBytesLeft > 0) smallBytesLeft -= data.length + 64
  return smallBytesLeft <= 0
}
