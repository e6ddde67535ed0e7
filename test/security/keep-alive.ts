/**
 * Sends many requests over one connection, some ahead of the answers, and cuts what comes back into answers by
 * nothing but their framing: an answer that is longer or shorter than it says shows in the one behind it.
 */
import net from 'node:net'

/** The bytes of a request; `isHead`: its answer has no body. */
export type Ahead = { readonly bytes: string; readonly isHead: boolean }

export type Answered = { readonly status: number; readonly head: string; readonly body: string }

const LATIN = 'latin1'

/**
 * The answers to the first requests of a list, up to the one that the server ended the connection with.
 * @throws Error where what came back is not a row of answers
 */
export function sendAhead(port: number, requests: readonly Ahead[]): Promise<Answered[]> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    const answers: Answered[] = []
    let rest = Buffer.alloc(0)
    const end = (error?: Error) => {
      socket.destroy()
      if (error) reject(error)
      else resolve(answers)
    }
    socket.on('data', (chunk) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      try {
        for (;;) {
          const next = firstAnswer(rest, requests[answers.length]?.isHead ?? false)
          if (next === undefined) break
          rest = rest.subarray(next.length)
          if (next.answer.status >= 200) answers.push(next.answer)
        }
      } catch (error) {
        end(error as Error)
      }
      if (answers.length >= requests.length)
        end(rest.length === 0 ? undefined : new Error(`more than was asked for: ${rest}`))
    })
    // A server that refuses a request may have closed before it has read those behind it.
    socket.on('error', () => undefined)
    socket.on('close', () =>
      end(rest.length === 0 ? undefined : new Error(`half an answer: ${rest}`)),
    )
    socket.write(Buffer.from(requests.map(({ bytes }) => bytes).join(''), LATIN))
  })
}

type Cut = { readonly answer: Answered; readonly length: number }

/** What stands at the beginning, once it is whole. */
function firstAnswer(bytes: Buffer, isHead: boolean): Cut | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.toString(LATIN, 0, end + 2)
  const [, number] = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(head) ?? []
  if (number === undefined) throw new Error(`not an answer: ${head.slice(0, 500)}`)
  const status = Number(number)
  const start = end + 4
  const cut = (length: number, body: string) => ({ answer: { status, head, body }, length })
  if (isHead || status < 200 || status === 204 || status === 304) return cut(start, '')
  if (/^transfer-encoding: *chunked\r$/im.test(head)) {
    const chunks = chunksFrom(bytes, start)
    return chunks && cut(chunks.end, chunks.body)
  }
  const [, length] = /^content-length: *(\d+)\r$/im.exec(head) ?? []
  if (length === undefined) throw new Error(`an answer without an end: ${head.slice(0, 500)}`)
  const until = start + Number(length)
  return bytes.length < until ? undefined : cut(until, bytes.toString(LATIN, start, until))
}

function chunksFrom(bytes: Buffer, from: number): { body: string; end: number } | undefined {
  const parts: string[] = []
  for (let at = from; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(bytes.toString(LATIN, at, line), 16)
    if (Number.isNaN(size)) throw new Error(`not a chunk: ${bytes.toString(LATIN, at, line)}`)
    const next = line + 2 + size + 2
    if (bytes.length < next) return undefined
    if (size === 0) return { body: parts.join(''), end: next }
    parts.push(bytes.toString(LATIN, line + 2, next - 2))
    at = next
  }
}
