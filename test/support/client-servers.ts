/** Servers for clients that know the API from elsewhere: fresh, empty, and everybody may do everything. */
import { HTTPClient } from 'geteventstore-promise'
import { startApache } from './apache.ts'
import { missingFor, VARIANTS, type Variant } from './apache-variants.ts'
import { freePort } from './http-client.ts'
import { startServe } from './serve.ts'

export type ClientServer = {
  readonly client: HTTPClient
  /** One that talks to a port on which nobody listens. */
  readonly lost: HTTPClient
  /** Base of the API, without a trailing slash. */
  readonly url: string
  readonly dataFolder: string
  /** Resolves when the server has ended of its own accord; never where it cannot. */
  readonly ended: Promise<unknown>
  stop(): Promise<unknown>
}

export type ClientServerKind = {
  readonly name: string
  /** Why it cannot run here, or `undefined` where it can. */
  readonly missing: string | undefined
  /** Whether a client can end it. */
  readonly canEnd: boolean
  open(): Promise<ClientServer>
}

/** What the client is set up with where nobody has changed anything. */
const credentials = { username: 'admin', password: 'changeit' }

async function clientServer(
  url: string,
  running: Pick<ClientServer, 'dataFolder' | 'ended' | 'stop'>,
): Promise<ClientServer> {
  const { hostname, port, pathname } = new URL(url)
  const config = {
    hostname,
    port: Number(port),
    pathname: pathname.replace(/\/$/, ''),
    credentials,
  }
  const lost = { ...config, port: await freePort() }
  return { ...running, url, client: new HTTPClient(config), lost: new HTTPClient(lost) }
}

const serve: ClientServerKind = {
  name: 'apie serve',
  missing: undefined,
  canEnd: true,
  async open() {
    const running = await startServe({ APIE_ANONYMOUS: 'admin' }, { account: false })
    return clientServer(running.url, running)
  },
}

const under = (variant: Variant): ClientServerKind => ({
  name: variant.name,
  missing: missingFor(variant),
  canEnd: false,
  async open() {
    const settings = { anonymous: 'admin' }
    const apache = await startApache({ variant, shape: 'script-alias', account: false, settings })
    const running = {
      dataFolder: apache.dataFolder,
      ended: new Promise(() => {}),
      stop: apache.stop,
    }
    return clientServer(apache.url, running)
  },
})

export const CLIENT_SERVERS: readonly ClientServerKind[] = [serve, ...VARIANTS.map(under)]
