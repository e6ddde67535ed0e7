/**
 * A client of `page-load.ts`: the same GET over connections that stay open, the next one as soon as the answer
 * to the last one is there. Sockets without an HTTP library, as in `load-client.ts`.
 *
 *     node bench/page-client.ts PORT CONNECTIONS SECONDS AUTHORIZATION PATH ACCEPT
 */
import net from 'node:net'

const [port, connections, seconds, authorization = '', path = '/', accept = '*/*'] =
  process.argv.slice(2)
const credentials = authorization === '' ? '' : `Authorization: ${authorization}\r\n`
const request = Buffer.from(
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${credentials}Accept: ${accept}\r\n\r\n`,
)

let answers = 0
let worstMs = 0
const start = performance.now()
const deadline = start + Number(seconds) * 1000

function connection(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), '127.0.0.1')
    socket.setNoDelay(true)
    let sentAt = 0
    let missing = 0
    const send = (): void => {
      sentAt = performance.now()
      socket.write(request)
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      missing = missing > 0 ? missing - chunk.length : missingOf(chunk)
      if (missing > 0) return
      const now = performance.now()
      answers++
      worstMs = Math.max(worstMs, now - sentAt)
      if (now < deadline) send()
      else socket.end()
    })
  })
}

/** Bytes of an answer that are still to come when its first piece, which holds the whole head, is there. */
function missingOf(chunk: Buffer): number {
  const end = chunk.indexOf('\r\n\r\n')
  const head = chunk.toString('latin1', 0, end + 2)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (!head.startsWith('HTTP/1.1 200') || length === undefined) throw new Error(head)
  return end + 4 + Number(length) - chunk.length
}

await Promise.all(Array.from({ length: Number(connections) }, connection))
const perSecond = (answers / (performance.now() - start)) * 1000
console.log(JSON.stringify({ perSecond, worstMs }))
