/** What the executable needs of the host's system libraries: nothing newer than the oldest supported host has. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { EXECUTABLE } from '../support/executable.ts'

const SHT_DYNAMIC = 6
const SHT_GNU_VERNEED = 0x6ffffffe
const DT_NEEDED = 1n

/** Names of needed libraries and of needed symbol versions (ELF 64, little-endian; System V ABI, ch. 4 and 5). */
function needs(file: Buffer): { libraries: string[]; versions: string[] } {
  const tableAt = Number(file.readBigUInt64LE(0x28))
  const count = file.readUInt16LE(0x3c)
  const section = (n: number) => {
    const at = tableAt + n * 64
    return {
      type: file.readUInt32LE(at + 4),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
      link: file.readUInt32LE(at + 40),
    }
  }
  const sections = Array.from({ length: count }, (_, n) => section(n))
  const text = (at: number): string => file.toString('latin1', at, file.indexOf(0, at))
  const libraries: string[] = []
  const versions: string[] = []
  for (const { type, offset, size, link } of sections) {
    const strings = sections[link]?.offset ?? 0
    if (type === SHT_DYNAMIC) {
      for (let at = offset; at < offset + size; at += 16) {
        if (file.readBigUInt64LE(at) === DT_NEEDED) {
          libraries.push(text(strings + Number(file.readBigUInt64LE(at + 8))))
        }
      }
    }
    if (type === SHT_GNU_VERNEED)
      versions.push(...neededVersions(file, offset, (n) => text(strings + n)))
  }
  return { libraries, versions }
}

function neededVersions(file: Buffer, offset: number, text: (n: number) => string): string[] {
  const names: string[] = []
  let entry = offset
  for (;;) {
    let aux = entry + file.readUInt32LE(entry + 8)
    for (let n = file.readUInt16LE(entry + 2); n > 0; n--) {
      names.push(text(file.readUInt32LE(aux + 8)))
      aux += file.readUInt32LE(aux + 12)
    }
    const next = file.readUInt32LE(entry + 12)
    if (next === 0) return names
    entry += next
  }
}

/** Highest version of a family, as numbers. */
function highest(versions: readonly string[], family: string): number[] {
  const numbers = versions
    .filter((name) => new RegExp(`^${family}_[0-9.]+$`).test(name))
    .map((name) =>
      name
        .slice(family.length + 1)
        .split('.')
        .map(Number),
    )
  return (
    numbers
      .sort(
        (a, b) =>
          (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0),
      )
      .at(-1) ?? []
  )
}

describe('the executable file', () => {
  const { libraries, versions } = needs(readFileSync(EXECUTABLE))

  it('needs libraries that every supported host has', () => {
    const allowed = /^(libc|libm|libdl|libpthread|libgcc_s|libstdc\+\+|ld-linux-[\w-]+)\.so\.\d$/
    expect(libraries.length).toBeGreaterThan(3)
    expect(libraries.filter((name) => !allowed.test(name))).toEqual([])
  })

  it('needs at most glibc 2.28 and GLIBCXX 3.4.25', () => {
    const glibc = highest(versions, 'GLIBC')
    const glibcxx = highest(versions, 'GLIBCXX')
    expect(glibc[0]).toBe(2)
    expect(glibc[1]).toBeLessThanOrEqual(28)
    expect(glibcxx.slice(0, 2)).toEqual([3, 4])
    expect(glibcxx[2]).toBeLessThanOrEqual(25)
  })
})
