/** Slow hashes of passwords: scrypt of Node (RFC 7914), and bcrypt of `bcryptjs`, loaded when one is met. */
import { nodeCrypto } from './node-crypto.ts'

/** Parameters, and salt and key as hex digits. */
type Scrypted = {
  readonly kind: 'scrypt'
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: string
  readonly key: string
}

/** 128 × cost × block size = 32 MiB. */
const STRENGTH = { cost: 32_768, blockSize: 8, parallelization: 1 } as const
const KEY_BYTES = 32
const SALT_BYTES = 16
/** Node counts a little more than the 32 MiB against this. */
const MAX_MEMORY = 64 * 1024 * 1024

type Strength = Pick<Scrypted, 'cost' | 'blockSize' | 'parallelization'>
type Derive = (password: string, salt: Buffer, strength: Strength) => Buffer | Promise<Buffer>

const optionsOf = ({ cost, blockSize, parallelization }: Strength) => {
  return { cost, blockSize, parallelization, maxmem: MAX_MEMORY }
}

const deriveHere: Derive = (password, salt, strength) =>
  nodeCrypto().scryptSync(password, salt, KEY_BYTES, optionsOf(strength))

const deriveInThread: Derive = (password, salt, strength) =>
  new Promise((resolve, reject) => {
    nodeCrypto().scrypt(password, salt, KEY_BYTES, optionsOf(strength), (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })

/**
 * `blocking` works in the calling thread: a process that answers one request must not start another.
 * `threaded` leaves the event loop free and runs two at a time, so that guesses take neither all memory nor
 * the threads that sync the log.
 */
export type HashingMode = 'blocking' | 'threaded'

export function createPasswordHasher(mode: HashingMode) {
  const derive = mode === 'blocking' ? deriveHere : twoAtATime(deriveInThread)
  return {
    /** With a new salt. */
    async scrypt(password: string): Promise<Scrypted> {
      const salt = nodeCrypto().randomBytes(SALT_BYTES)
      const key = await derive(password, salt, STRENGTH)
      return { kind: 'scrypt', ...STRENGTH, salt: salt.toString('hex'), key: key.toString('hex') }
    },
    async isScrypt(password: string, stored: Scrypted): Promise<boolean> {
      const key = await derive(password, Buffer.from(stored.salt, 'hex'), stored)
      const expected = Buffer.from(stored.key, 'hex')
      return key.length === expected.length && nodeCrypto().timingSafeEqual(key, expected)
    },
    /** `$2a$`, `$2b$` and `$2y$` are one function. */
    async isBcrypt(password: string, stored: { readonly hash: string }): Promise<boolean> {
      const { compare } = await import('bcryptjs')
      return compare(password, stored.hash)
    },
  }
}

function twoAtATime(derive: Derive): Derive {
  let free = 2
  const waiting: (() => void)[] = []
  return async (...call) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await derive(...call)
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
