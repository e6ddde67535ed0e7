/** What stands for a key in the hash tables of an index: two numbers from a hash that spreads them evenly. */
import { sha256Latin1 } from '../../kit/sha256.ts'

/** 8 bytes of a hash. */
export type Fingerprint = {
  /** The first 4: from which slot on a table is looked through. */
  readonly place: number
  /** The next 4, never 0, so that a slot in use differs from a free one in both halves. */
  readonly mark: number
}

/** Of a text that names a key. */
export function fingerprintOf(text: string): Fingerprint {
  const digest = sha256Latin1(text)
  const byte = (at: number): number => digest.charCodeAt(at)
  return {
    place: (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0,
    mark: (byte(4) | (byte(5) << 8) | (byte(6) << 16) | (byte(7) << 24)) >>> 0 || 1,
  }
}

/** Of a hash that is there as bytes, from `at` on. */
export function fingerprintAt(bytes: Buffer, at: number): Fingerprint {
  return { place: bytes.readUInt32LE(at), mark: bytes.readUInt32LE(at + 4) || 1 }
}
