/** Plain HTTP requests whose target goes out byte for byte, and raw bytes where even that is too polite. */
import http from 'node:http'
import net from 'node:net'

export type Sent = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** A list is sent chunked, one chunk each. */
  readonly body?: string | Uint8Array | readonly Uint8Array[]
}

export type Received = {
  readonly status: number
  readonly reason: string
  /** Lower-case names; repeated headers joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly bytes: Buffer
  readonly text: string
}

/** Sends one request on a connection of its own. `url` is an absolute `http:` URL, its path untouched. */
export function send(url: string, sent: Sent = {}): Promise<Received> {
  const [, host = '', port = '', target = ''] = /^http:\/\/([^:/]+):(\d+)(.*)$/.exec(url) ?? []
  const { body, method = 'GET' } = sent
  const headers: http.OutgoingHttpHeaders = { ...(sent.headers as http.OutgoingHttpHeaders) }
  if (body !== undefined && !isList(body)) {
    headers['Content-Length'] ??= String(Buffer.byteLength(body))
  }
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host,
        port,
        path: target || '/',
        method,
        headers,
        agent: false,
        setHost: !hasHost(headers),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => resolve(received(response, Buffer.concat(chunks))))
      },
    )
    request.on('error', reject)
    if (isList(body)) for (const chunk of body) request.write(chunk)
    // Along with a text Node writes the head as UTF-8, too: no byte of it above 127 would go out as it is.
    request.end(isList(body) || body === undefined ? undefined : Buffer.from(body))
  })
}

function isList(body: Sent['body']): body is readonly Uint8Array[] {
  return Array.isArray(body)
}

function hasHost(headers: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'host')
}

function received(response: http.IncomingMessage, bytes: Buffer): Received {
  const headers: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  const { statusCode: status = 0, statusMessage: reason = '' } = response
  return { status, reason, headers, bytes, text: bytes.toString('utf8') }
}

/**
 * Sends bytes as they are and returns everything that comes back until the server closes.
 * `end` closes the sending side at once.
 */
export function sendRaw(
  port: number,
  bytes: string | Uint8Array,
  options: { readonly end?: boolean } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    if (options.end === true) socket.end()
  })
}

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      )
    })
  })
}
