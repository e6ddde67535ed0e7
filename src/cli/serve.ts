/** `apie serve`: the standalone server, from the first line it prints to its graceful end. */
import process from 'node:process'
import type { CommandCall } from './command.ts'

export async function runServe(call: CommandCall): Promise<number> {
  const { host, port } = call.services.settings()
  const { serveHttp } = await import('../gateway/http-server.ts')
  const { app, close } = await call.services.openApp()
  const server = await serveHttp(app, { host, port })
  await call.terminal.out(`apie listens on http://${host}:${server.port}/\n`)
  await stopSignal()
  await server.close()
  await close()
  return 0
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve())
    process.on('SIGINT', () => resolve())
  })
}
