/** `apie serve`: the standalone server, from the first line it prints to its graceful end. */

import type { HttpServer } from '../gateway/http-server.ts'
import type { App } from '../http/message.ts'
import { type CommandCall, EXIT, type OpenApp } from './command.ts'
import { listenFailure } from './listen-failure.ts'
import { settingFiles } from './setting-files.ts'
import { lostPassword } from './show-password.ts'
import { whenAborted } from './stop-signal.ts'

/**
 * The port comes first: where it is taken nothing is made, and a low one needs the rights that opening the
 * store may give away. Requests that come meanwhile wait for the store.
 */
export async function runServe(call: CommandCall): Promise<number> {
  const { services } = call
  const settings = services.settings()
  const { port, bodyTimeoutMs } = settings
  const host = settings.host.replace(/^\[(.*)\]$/, '$1')
  const { serveHttp } = await import('../gateway/http-server.ts')
  const { promise: opened, resolve, reject } = Promise.withResolvers<App>()
  opened.catch(() => undefined)
  let answer: App = async (request) => (await opened)(request)
  const open = (app: App) => {
    answer = app
    resolve(app)
  }
  const app: App = (request) => answer(request)
  const server = await serveHttp(app, { host, port, bodyTimeoutMs }).catch(
    listenFailure(host, port),
  )
  try {
    return await serveStore(call, server, { host, open })
  } catch (error) {
    reject(error)
    await server.close()
    throw error
  }
}

/** Serves until it is told to stop. */
async function serveStore(
  call: CommandCall,
  server: HttpServer,
  { host, open }: { readonly host: string; readonly open: (app: App) => void },
): Promise<number> {
  const { services, terminal } = call
  const opened = await services.openApp()
  try {
    const { store } = services.settings()
    if (store.startsWith('file:')) {
      await terminal.out(`data folder: ${store.slice('file:'.length)}\n`)
    }
    for (const { name, path, problem } of settingFiles(services.settings())) {
      if (problem) await terminal.err(`apie: the ${name} ${path} ${problem}\n`)
    }
    await greetFirstAdmin(call, opened)
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`
    if (await opened.setup.isOpen()) {
      await terminal.err(
        `There is no account yet: open ${url}/setup; the token stands in ${opened.setup.tokenPlace}.\n`,
      )
    }
    open(opened.app)
    await terminal.out(`apie listens on ${url}\n`)
    await whenAborted(services.untilStopped())
    opened.endWaits()
    await server.close()
    return EXIT.ok
  } finally {
    await opened.close()
  }
}

/** Makes the first admin where one is asked for; a store that has accounts stays as it is. */
async function greetFirstAdmin(
  { options, terminal }: CommandCall,
  { accounts }: OpenApp,
): Promise<void> {
  const name = options['first-admin']
  if (typeof name !== 'string') return
  const made = await accounts.addFirstAdmin({ name, password: { kind: 'generate' } })
  if (made?.generated === undefined) {
    await terminal.err(`--first-admin ${name}: accounts exist already; none was made\n`)
    return
  }
  const text = `made the first admin: ${name}\nits password, which is not shown again: ${made.generated}\n`
  await terminal.out(text).catch((error: unknown) => {
    throw lostPassword(name, error)
  })
}
