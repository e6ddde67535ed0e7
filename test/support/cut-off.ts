/** A way to a server that can be cut: connections break, with what was under way in them, or none is let in. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type CutOff = {
  readonly port: number
  /** Breaks every connection. */
  cut(): void
  /** Lets nobody in any more, and breaks every connection. */
  shut(): Promise<void>
  /** Lets everybody in again. */
  open(): Promise<void>
}

/** Leads to a port of this machine. */
export async function startCutOff(host: string, to: number): Promise<CutOff> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  const server = createServer((inside) => {
    const outside = connect(to, host)
    keep(inside)
    keep(outside)
    inside.on('close', () => outside.destroy())
    outside.on('close', () => inside.destroy())
    inside.pipe(outside)
    outside.pipe(inside)
  })
  let port = 0
  const open = async () => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    port = typeof address === 'object' && address ? address.port : 0
  }
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  await open()
  return {
    port,
    cut,
    open,
    shut: async () => {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}
