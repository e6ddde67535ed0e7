/** `apie broker brittle-api serve`: the unreliable API, from its first line to its end. */
import { serveBrittleApi } from '../../broker/brittle-api.ts'
import type { CommandCall } from '../command.ts'
import { listenFailure } from '../listen-failure.ts'
import { whenAborted } from '../stop-signal.ts'
import { usage } from '../usage.ts'
import { HINT } from './hint.ts'
import { numberOption } from './values.ts'

const PART = { min: 0, max: 1 }
const SECONDS = { min: 0, max: 86_400 }

export async function runBrittleApi(call: CommandCall): Promise<void> {
  const [verb, address = ''] = call.words
  if (verb !== 'serve') throw usage('"apie broker brittle-api" needs serve ADDRESS', HINT)
  const { host, port } = addressOf(address)
  const minLatency = numberOption(call, 'api-min-latency', 0, SECONDS)
  const maxLatency = numberOption(call, 'api-max-latency', minLatency, SECONDS)
  if (maxLatency < minLatency) {
    throw usage('--api-max-latency must not be less than --api-min-latency', HINT)
  }
  const failureRate = numberOption(call, 'api-failure-rate', 0, PART)
  const silentFailureRate = numberOption(call, 'api-silent-failure-rate', 0, PART)
  const seed = numberOption(call, 'seed', -1, { min: 0, max: 2 ** 32 - 1, isWhole: true })
  const signal = call.services.untilStopped()
  const options = { host, port, failureRate, silentFailureRate, minLatency, maxLatency }
  const server = await serveBrittleApi({ ...options, ...(seed < 0 ? {} : { seed }) }).catch(
    listenFailure(host, port),
  )
  await call.terminal.out(`brittle-api listens on http://${urlHost(host)}:${server.port}\n`)
  await whenAborted(signal)
  await server.close()
}

/** `HOST:PORT`, `:PORT` or `PORT`; without a host, this machine alone. */
function addressOf(text: string): { host: string; port: number } {
  const [, bracketed, plain, digits = ''] =
    /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d{1,5})$/.exec(text) ?? []
  const port = digits === '' ? Number.NaN : Number(digits)
  if (port <= 65_535) return { host: bracketed || plain || '127.0.0.1', port }
  throw usage(`ADDRESS must be HOST:PORT, not "${text}"`, HINT)
}

const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)
