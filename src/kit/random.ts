import { randomBytes, randomUUID } from 'node:crypto'

/** `bytes` random bytes as lower-case hex digits. */
export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex')
}

/** A random UUID, version 4 (RFC 9562 §5.4). */
export function randomUuid(): string {
  return randomUUID()
}
