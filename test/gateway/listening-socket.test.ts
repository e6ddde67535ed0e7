import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer, type ListenOptions, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isListeningSocket } from '../../src/gateway/listening-socket.ts'
import { PROJECT } from '../support/executable.ts'

const fdOf = (server: Server): number =>
  (server as unknown as { _handle: { fd: number } })._handle.fd

async function listening(options: ListenOptions, body: (fd: number) => Promise<void> | void) {
  const server = createServer()
  server.listen(options)
  await once(server, 'listening')
  try {
    await body(fdOf(server))
  } finally {
    server.close()
  }
}

test('a UNIX socket that waits for connections is one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'apie-socket-'))
  await listening({ path: join(folder, 's') }, (fd) => expect(isListeningSocket(fd)).toBe(true))
  rmSync(folder, { recursive: true })
})

test('a TCP socket that waits for connections is one', async () => {
  await listening({ host: '127.0.0.1', port: 0 }, (fd) => expect(isListeningSocket(fd)).toBe(true))
})

test('a file, a closed descriptor and a connected socket are none', async () => {
  expect(isListeningSocket(openSync('/dev/null', 'r'))).toBe(false)
  expect(isListeningSocket(9999)).toBe(false)
  // Node gives its children connected sockets for pipes.
  const script = `import('${join(PROJECT, 'src/gateway/listening-socket.ts')}')
    .then((m) => process.exit(m.isListeningSocket(0) ? 1 : 0))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'inherit', 'inherit'] })
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('the program started on a listening socket says what is missing and ends', async () => {
  await listening({ host: '127.0.0.1', port: 0 }, async (fd) => {
    const child = spawn(process.execPath, [join(PROJECT, 'src/main.ts')], {
      stdio: [fd, 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    expect(await once(child, 'close')).toEqual([1, null])
    expect(said).toContain('FastCGI')
  })
})
