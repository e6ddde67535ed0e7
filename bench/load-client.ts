/**
 * The client of `load.ts`: `PUT /events` over connections that stay open, the next one as soon as the answer to
 * the last one is there. Sockets without an HTTP library, so that the client takes as little as it can of
 * the machine that the server runs on, too.
 *
 *     node bench/load-client.ts PORT CONNECTIONS SECONDS AUTHORIZATION
 */
import net from 'node:net'
import { requestBodyOf } from './events.ts'

const [port, connections, seconds, authorization = ''] = process.argv.slice(2)

let answers = 0
let worstMs = 0
let next = Math.floor(Math.random() * 1e6)
const start = performance.now()
const deadline = start + Number(seconds) * 1000

function requestText(): string {
  const body = requestBodyOf(next++)
  const credentials = authorization === '' ? '' : `Authorization: ${authorization}\r\n`
  return (
    `PUT /events HTTP/1.1\r\nHost: 127.0.0.1\r\n${credentials}` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  )
}

function connection(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), '127.0.0.1')
    socket.setNoDelay(true)
    let sentAt = 0
    let received = ''
    const send = (): void => {
      sentAt = performance.now()
      received = ''
      socket.write(requestText())
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (!isWhole(received)) return
      if (!received.startsWith('HTTP/1.1 200')) return void socket.destroy(new Error(received))
      const now = performance.now()
      answers++
      worstMs = Math.max(worstMs, now - sentAt)
      if (now < deadline) send()
      else socket.end()
    })
  })
}

/** Of an answer of known length, or one in pieces. */
function isWhole(received: string): boolean {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, end + 2))?.[1]
  return length === undefined
    ? received.endsWith('\r\n0\r\n\r\n')
    : received.length >= end + 4 + Number(length)
}

await Promise.all(Array.from({ length: Number(connections) }, connection))
const perSecond = (answers / (performance.now() - start)) * 1000
console.log(JSON.stringify({ perSecond, worstMs }))
