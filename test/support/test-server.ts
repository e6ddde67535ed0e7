/** The standalone server on a stub of an app whose routes do what a test of the server needs. */
import { afterEach } from 'vitest'
import {
  type HttpServer,
  type HttpServerOptions,
  serveHttp,
} from '../../src/gateway/http-server.ts'
import type { App } from '../../src/http/message.ts'

/** Servers on free ports that are closed after the test that asked for them. */
export function testServers(): (
  app: App,
  options?: Partial<HttpServerOptions>,
) => Promise<HttpServer> {
  const open: HttpServer[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close()))
  })
  return async (app, options = {}) => {
    const server = await serveHttp(app, { host: '127.0.0.1', port: 0, graceMs: 1000, ...options })
    open.push(server)
    return server
  }
}
