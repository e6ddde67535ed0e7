/** Takes everything a server sends for a path and counts it, without an HTTP library's share of the work. */
import net from 'node:net'
import type { Serving } from './serving.ts'

export type Download = { readonly bytes: number; readonly seconds: number }

/** Bytes of the answer with its head; with chunk sizes where it is sent in chunks. */
export function download({ port, authorization }: Serving, path: string): Promise<Download> {
  const credentials = authorization === '' ? '' : `Authorization: ${authorization}\r\n`
  return new Promise((resolve, reject) => {
    const start = performance.now()
    let bytes = 0
    let head = ''
    const onread = {
      buffer: Buffer.alloc(256 * 1024),
      callback: (count: number, buffer: Uint8Array) => {
        if (bytes === 0) head = Buffer.from(buffer.subarray(0, 12)).toString('latin1')
        bytes += count
        return true
      },
    }
    const socket = net.connect({ port, host: '127.0.0.1', onread })
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${credentials}Connection: close\r\n\r\n`,
    )
    socket.on('error', reject)
    socket.on('close', () => {
      if (head !== 'HTTP/1.1 200') reject(new Error(`GET ${path} answered ${head}`))
      else resolve({ bytes, seconds: (performance.now() - start) / 1000 })
    })
  })
}
