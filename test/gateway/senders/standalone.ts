/** The standalone server, asked over real connections. */
import { serveHttp } from '../../../src/gateway/http-server.ts'
import { send } from '../../support/http-client.ts'
import type { OpenGateway } from '../gateways.ts'
import { openOn } from './in-process.ts'

/** @param store engine URL; the data folder by default */
export async function openStandalone(dataFolder: string, store?: string): Promise<OpenGateway> {
  const { app, close } = await openOn(dataFolder, store)
  const server = await serveHttp(app, { host: '127.0.0.1', port: 0 })
  return {
    send: async ({ path, query, ...request }) => {
      const target = query === undefined ? path : `${path}?${query}`
      const answer = await send(`http://127.0.0.1:${server.port}${target}`, request)
      const headers = answer.headers as Record<string, string>
      return { status: answer.status, reason: answer.reason, headers, body: answer.bytes }
    },
    close: async () => {
      await server.close()
      await close()
    },
  }
}
