/**
 * SHA-256 (FIPS 180-4) without `node:crypto`. Loading that module takes a process 4 ms, a seventh of what an
 * answer costs as a whole, and a request that reads one event hashes two or three KiB. Whoever hashes more
 * is better off with the real one: `sha256.ts` decides.
 */

const words = (text: string): Int32Array =>
  Int32Array.from(text.match(/.{8}/g) ?? [], (word) => Number.parseInt(word, 16))

/** First 32 bits of the fractional parts of the square roots of the first 8 primes (FIPS 180-4 §5.3.3). */
const START = words('6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19')

/** Of the cube roots of the first 64 primes (§4.2.2). */
const K = words(
  '428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5' +
    'd807aa9812835b01243185be550c7dc372be5d7480deb1fe9bdc06a7c19bf174' +
    'e49b69c1efbe47860fc19dc6240ca1cc2de92c6f4a7484aa5cb0a9dc76f988da' +
    '983e5152a831c66db00327c8bf597fc7c6e00bf3d5a7914706ca635114292967' +
    '27b70a852e1b21384d2c6dfc53380d13650a7354766a0abb81c2c92e92722c85' +
    'a2bfe8a1a81a664bc24b8b70c76c51a3d192e819d6990624f40e3585106aa070' +
    '19a4c1161e376c082748774c34b0bcb5391c0cb34ed8aa4a5b9cca4f682e6ff3' +
    '748f82ee78a5636f84c878148cc7020890befffaa4506cebbef9a3f7c67178f2',
)

const w = new Int32Array(64)

/** The 32 bytes of the digest. */
export function sha256Small(data: Uint8Array): Buffer {
  const state = START.slice()
  const padded = pad(data)
  for (let at = 0; at < padded.length; at += 64) block(state, padded, at)
  const digest = Buffer.allocUnsafe(32)
  for (let index = 0; index < 8; index++) digest.writeInt32BE(state[index] as number, index * 4)
  return digest
}

/** A 1 bit, zeros up to 8 bytes before the end of a block, and the length in bits (§5.1.1). */
function pad(data: Uint8Array): Buffer {
  const padded = Buffer.alloc((data.length + 72) & ~63)
  padded.set(data)
  padded[data.length] = 0x80
  padded.writeUInt32BE(Math.floor(data.length / 2 ** 29), padded.length - 8)
  padded.writeUInt32BE((data.length << 3) >>> 0, padded.length - 4)
  return padded
}

/**
 * One block of 64 bytes into the state (§6.2.2). Written for a process that has just started, where every
 * look at something outside of the function and every call costs.
 */
function block(state: Int32Array, bytes: Buffer, at: number): void {
  const schedule = w
  const constants = K
  for (let t = 0, from = at; t < 16; t++, from += 4) {
    schedule[t] =
      ((bytes[from] as number) << 24) |
      ((bytes[from + 1] as number) << 16) |
      ((bytes[from + 2] as number) << 8) |
      (bytes[from + 3] as number)
  }
  for (let t = 16; t < 64; t++) {
    const x = schedule[t - 15] as number
    const y = schedule[t - 2] as number
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    schedule[t] = (schedule[t - 16] as number) + s0 + (schedule[t - 7] as number) + s1
  }
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  let e = state[4] as number
  let f = state[5] as number
  let g = state[6] as number
  let h = state[7] as number
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 =
      (h + s1 + (g ^ (e & (f ^ g))) + (constants[t] as number) + (schedule[t] as number)) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    // The majority of the three that were a, b and c.
    a = (t1 + s0 + ((b & c) | (d & (b | c)))) | 0
  }
  state[0] = (state[0] as number) + a
  state[1] = (state[1] as number) + b
  state[2] = (state[2] as number) + c
  state[3] = (state[3] as number) + d
  state[4] = (state[4] as number) + e
  state[5] = (state[5] as number) + f
  state[6] = (state[6] as number) + g
  state[7] = (state[7] as number) + h
}
