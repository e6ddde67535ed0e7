/** A connection whose bytes a test writes and reads itself. */
import { once } from 'node:events'
import net from 'node:net'

export type RawConnection = {
  readonly socket: net.Socket
  write(bytes: string | Uint8Array): void
  /** Everything that came so far. */
  received(): string
  /** Resolves with everything as soon as it matches; rejects when the server closes before. */
  until(pattern: RegExp): Promise<string>
  /** Resolves with everything when the server has closed. */
  closed(): Promise<string>
}

export async function connectRaw(port: number): Promise<RawConnection> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: false })
  await once(socket, 'connect')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  const isClosed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return {
    socket,
    write: (bytes) =>
      void socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    received: () => text,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(text)) return
          socket.off('data', look)
          resolve(text)
        }
        socket.on('data', look)
        void isClosed.then(() => reject(new Error(`closed after: ${text}`)))
        look()
      }),
    closed: async () => {
      await isClosed
      return text
    },
  }
}

/** Sends bytes on a connection of their own and returns what comes until the server closes. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<string> {
  const connection = await connectRaw(port)
  connection.write(bytes)
  return connection.closed()
}
