import { nodeCrypto } from './node-crypto.ts'

/** A random UUID, version 4 (RFC 9562 §5.4). */
export function randomUuid(): string {
  return nodeCrypto().randomUUID()
}

/** The UUID that a name has within the namespace of another UUID, version 5 (RFC 9562 §5.5). */
export function nameUuid(namespace: string, name: string): string {
  const hash = nodeCrypto().createHash('sha1')
  hash.update(Buffer.from(namespace.replaceAll('-', ''), 'hex')).update(name, 'utf8')
  const bytes = hash.digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether `text` is a UUID of any version, in upper or lower case. */
export function isUuid(text: string): boolean {
  return uuid.test(text)
}
