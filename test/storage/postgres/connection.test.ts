/** Connections that break at moments that a real server hits by chance. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { openPostgresStore } from '../../../src/storage/postgres/engine.ts'
import { handClock } from '../../support/store.ts'

/** A message of the protocol (manual, 55.7). */
function message(type: string, ...parts: readonly (string | number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const SIGNED_IN = message('R', [0, 0, 0, 0])
const READY = message('Z', 'I')
const TERMINATED = message('E', 'SFATAL\0C57P01\0Mterminating connection\0\0')

test('a server that ends a connection in the breath in which it accepts it is a database that is away', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(Buffer.concat([SIGNED_IN, READY, TERMINATED])))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `postgresql://apie:x@127.0.0.1:${port}/apie`
  const options = { url, lockTimeoutMs: 1000, connections: 2, clock: handClock() }
  await expect(openPostgresStore(options)).rejects.toMatchObject({ code: 'storage-unavailable' })
  server.close()
})
