import { nodeCrypto } from './node-crypto.ts'

/** A random UUID, version 4 (RFC 9562 §5.4). */
export function randomUuid(): string {
  return nodeCrypto().randomUUID()
}
