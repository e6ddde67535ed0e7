/** Reading and writing descriptors of each kind that a web server gives, in this process. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { DeadlineError, openStandardStream } from '../../src/gateway/standard-stream.ts'
import { monotonicMs } from '../../src/kit/monotonic.ts'

const folder = mkdtempSync(join(tmpdir(), 'apie-stream-'))
afterAll(() => rmSync(folder, { recursive: true }))
let made = 0

/** A named pipe; `both` keeps it open at both ends, so that opening one does not wait. */
function pipe(): { path: string; both: number } {
  const path = join(folder, `pipe-${made++}`)
  execFileSync('mkfifo', ['-m', '600', path])
  return { path, both: openSync(path, constants.O_RDWR) }
}

const soon = () => monotonicMs() + 30
const late = () => monotonicMs() + 60_000
const text = (bytes: Uint8Array, count: number) => Buffer.from(bytes).toString('utf8', 0, count)

/** Both ends of a connection, the second as a descriptor. */
async function connection(): Promise<{ ours: net.Socket; fd: number; close(): void }> {
  const path = join(folder, `socket-${made++}`)
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
  server.listen(path)
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const ours = net.connect({ path, allowHalfOpen: true })
  const [[theirs]] = (await Promise.all([accepted, once(ours, 'connect')])) as [
    [net.Socket],
    unknown,
  ]
  // Node has no other way to the number.
  const { fd } = (theirs as unknown as { _handle: { fd: number } })._handle
  const close = () => {
    ours.destroy()
    theirs.destroy()
    server.close()
  }
  return { ours, fd, close }
}

describe('input', () => {
  test('from a pipe comes as it is there, and what stalls ends at the deadline', async () => {
    const { both, path } = pipe()
    const fd = openSync(path, 'r')
    const input = await openStandardStream('input', fd)
    const into = Buffer.alloc(10)
    writeSync(both, 'hello')
    expect(input.hasMore()).toBe(true)
    expect(text(into, input.read(into, late()))).toBe('ello')
    expect(input.hasMore()).toBe(false)
    expect(() => input.read(into, soon())).toThrow(DeadlineError)
    closeSync(both)
    expect(input.read(into, late())).toBe(0)
    expect(input.hasMore()).toBe(false)
    closeSync(fd)
  })

  test('from a file comes from where it stands, to its end', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, 'abcdef')
    const fd = openSync(path, 'r')
    readSync(fd, Buffer.alloc(2))
    const input = await openStandardStream('input', fd)
    const into = Buffer.alloc(10)
    expect(text(into, input.read(into, late()))).toBe('cdef')
    expect(input.read(into, late())).toBe(0)
    closeSync(fd)
  })

  test('from a socket comes as it is there, and what stalls ends at the deadline', async () => {
    const { ours, fd, close } = await connection()
    const input = await openStandardStream('input', fd)
    const into = Buffer.alloc(10)
    expect(() => input.read(into, soon())).toThrow(DeadlineError)
    ours.write('hello')
    expect(text(into, input.read(into, late()))).toBe('hello')
    expect(input.hasMore()).toBe(false)
    close()
  })

  test.skipIf(process.getuid?.() !== 0)(
    'from a pipe of another user, which cannot be opened again, ends at the deadline, too',
    async () => {
      const { both, path } = pipe()
      const fd = openSync(path, 'r')
      process.seteuid?.('nobody')
      try {
        const input = await openStandardStream('input', fd)
        writeSync(both, 'hello')
        const into = Buffer.alloc(10)
        expect(text(into, input.read(into, late()))).toBe('hello')
        expect(() => input.read(into, soon())).toThrow(DeadlineError)
      } finally {
        process.seteuid?.(0)
      }
      closeSync(both)
    },
  )

  test('that is no descriptor is an error', async () => {
    await expect(openStandardStream('input', 9999)).rejects.toMatchObject({ code: 'EBADF' })
  })
})

describe('output', () => {
  test('to a pipe waits for a reader that stalls until the deadline', async () => {
    const { both, path } = pipe()
    const fd = openSync(path, 'w')
    const output = await openStandardStream('output', fd)
    expect(output.write(Buffer.from('hello'), late())).toBe(true)
    const into = Buffer.alloc(10)
    expect(text(into, readSync(both, into))).toBe('hello')
    expect(() => output.write(Buffer.alloc(1 << 21), soon())).toThrow(DeadlineError)
    closeSync(both)
    closeSync(fd)
  })

  test('to a pipe that nobody reads any more is not delivered', async () => {
    const { both, path } = pipe()
    const fd = openSync(path, 'w')
    const output = await openStandardStream('output', fd)
    closeSync(both)
    expect(output.write(Buffer.from('hello'), late())).toBe(false)
    // Nor can it be opened again then: it is written to as it is.
    const again = await openStandardStream('output', fd)
    expect(again.write(Buffer.from('hello'), late())).toBe(false)
    closeSync(fd)
  })

  test('to a file stands there whole', async () => {
    const path = join(folder, 'out')
    const fd = openSync(path, 'w')
    const output = await openStandardStream('output', fd)
    expect(output.write(Buffer.from('hello'), late())).toBe(true)
    expect(output.write(Buffer.alloc(0), late())).toBe(true)
    closeSync(fd)
    expect(readFileSync(path, 'utf8')).toBe('hello')
  })

  test('that fails otherwise is an error', async () => {
    const fd = openSync('/dev/full', 'w')
    const output = await openStandardStream('output', fd)
    expect(() => output.write(Buffer.from('x'), late())).toThrow(/ENOSPC/)
    closeSync(fd)
  })
})
