import { nodeCrypto } from './node-crypto.ts'

/** `bytes` random bytes as lower-case hex digits. */
export function randomHex(bytes: number): string {
  return nodeCrypto().randomBytes(bytes).toString('hex')
}

/** A random UUID, version 4 (RFC 9562 §5.4). */
export function randomUuid(): string {
  return nodeCrypto().randomUUID()
}
