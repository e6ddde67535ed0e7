/** The driver of MongoDB in the executable, before a server that greets and refuses everything else. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { BSON } from 'mongodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EXECUTABLE, requireExecutable, run } from '../support/executable.ts'

const GREETING = BSON.serialize({
  ismaster: true,
  helloOk: true,
  maxBsonObjectSize: 1 << 24,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  localTime: new Date(0),
  minWireVersion: 0,
  maxWireVersion: 21,
  ok: 1,
})
const OP_REPLY = 1
const OP_QUERY = 2004
/** Documents of the greetings that came. */
const greetings: BSON.Document[] = []

/** Answers the old form of a greeting, which clients begin with, and hangs up on the rest. */
function answer(socket: Socket, message: Buffer): void {
  if (message.readInt32LE(12) !== OP_QUERY) {
    socket.destroy()
    return
  }
  const name = message.indexOf(0, 20)
  greetings.push(BSON.deserialize(message.subarray(name + 9)))
  const head = Buffer.alloc(36)
  const numbers = [36 + GREETING.length, 1, message.readInt32LE(4), OP_REPLY, 8, 0, 0, 0, 1]
  for (const [at, number] of numbers.entries()) head.writeInt32LE(number, at * 4)
  socket.write(Buffer.concat([head, GREETING]))
}

const server = createServer((socket) => {
  let bytes = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (more) => {
    bytes = Buffer.concat([bytes, more])
    while (bytes.length >= 16 && bytes.length >= bytes.readInt32LE(0)) {
      const length = bytes.readInt32LE(0)
      answer(socket, bytes.subarray(0, length))
      bytes = bytes.subarray(length)
    }
  })
})

beforeAll(async () => {
  requireExecutable()
  await once(server.listen(0, '127.0.0.1'), 'listening')
})
afterAll(() => server.close())

test('tells the server what it is and what it runs on', async () => {
  const { port } = server.address() as AddressInfo
  const store = `mongodb://127.0.0.1:${port}/x?serverSelectionTimeoutMS=2000`
  const { status, err } = await run(EXECUTABLE, ['migrate'], { environment: { APIE_STORE: store } })
  expect([status, err]).toEqual([1, expect.stringContaining('[storage-unavailable]')])
  const clients = greetings.map(({ client }) => client).filter((client) => client !== undefined)
  expect(clients[0]).toMatchObject({ driver: { name: 'nodejs' }, os: { type: 'Linux' } })
})
