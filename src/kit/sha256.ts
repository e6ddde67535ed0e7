import { createHash, type Hash, hash } from 'node:crypto'

/** SHA-256 of one text or one run of bytes, as 64 lower-case hex digits (FIPS 180-4). */
export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex')
}

/** SHA-256 of one text or one run of bytes, as 32 bytes. */
export function sha256Bytes(data: string | Uint8Array): Buffer {
  return hash('sha256', data, 'buffer')
}

/** A SHA-256 that is fed piece by piece. */
export function startSha256(): Hash {
  return createHash('sha256')
}
