/** `apie broker status`: the state of one request and of its attempts, or of the broker as a whole. */
import { AppError } from '../../domain/app-error.ts'
import type { BrokerEvent, BrokerEventId } from '../../domain/broker/broker-event.ts'
import { type BrokerStream, causeOf } from '../../domain/broker/broker-stream.ts'
import { createCheckpoint } from '../../domain/broker/checkpoint.ts'
import { configurationAt } from '../../domain/broker/configuration-at.ts'
import { Requests } from '../../domain/broker/requests.ts'
import type { CommandCall } from '../command.ts'
import { printable } from './event-line.ts'
import { withBroker } from './open-broker.ts'
import { parseId } from './values.ts'

export async function runStatus(call: CommandCall): Promise<void> {
  const [word] = call.words
  const id = word === undefined ? undefined : parseId(word, 'REQUEST-ID')
  await withBroker(call, 'existing', async ({ stream, store }) => {
    const found =
      id === undefined
        ? await brokerStatus(stream, await createCheckpoint(stream, store.records).read())
        : await requestStatus(stream, id)
    await call.terminal.out(call.options['json'] ? `${JSON.stringify(found)}\n` : textOf(found))
  })
}

async function brokerStatus(stream: BrokerStream, settled: BrokerEventId) {
  const requests = new Requests(settled, await configurationAt(stream, settled))
  for await (const event of stream.load(settled)) requests.take(event, await causeOf(stream, event))
  const { retries, timeout } = requests.configuration
  return { events: await stream.head(), retries, timeout, open: requests.open.size }
}

async function requestStatus(stream: BrokerStream, id: BrokerEventId) {
  const requests = new Requests(id - 1, await configurationAt(stream, id))
  const events: BrokerEvent[] = []
  for await (const event of stream.load(id - 1)) {
    const isOfIt = event.id === id || (await causeOf(stream, event)) === id
    if (!isOfIt) continue
    if (event.id === id && event.payload?.class !== 'request') break
    requests.take(event, id)
    events.push(event)
  }
  const [request] = events
  if (!request) throw noRequest(id)
  const record = requests.find(id)?.record
  if (!record) throw noRequest(id)
  return {
    request: id,
    external_uuid: request.uuid,
    state: record.overall,
    retries: record.attempts - 1,
    timeout: record.timeout,
    attempts: Array.from({ length: record.next }, (_, attempt) => ({
      attempt,
      state: record.stateOf(attempt),
      ...timesOf(events, attempt),
    })),
  }
}

function noRequest(id: BrokerEventId): AppError {
  return new AppError('event-not-found', `There is no request ${id}`, { id })
}

/** When the attempt started and ended, and what came of it. */
function timesOf(events: readonly BrokerEvent[], attempt: number): AttemptTimes {
  const ofIt = events.filter(
    ({ payload }) => payload && 'attempt' in payload && payload.attempt === attempt,
  )
  const start = ofIt.find(({ payload }) => payload?.class === 'api-request')
  const ends = ofIt.filter(({ payload }) => payload?.class !== 'api-request')
  const answer = ends.findLast(({ payload }) => payload?.class === 'api-response')
  const end = answer ?? ends.at(-1)
  const times = { started: start?.createdAt ?? null, ended: end?.createdAt ?? null }
  const { payload } = end ?? {}
  if (payload?.class === 'api-response') return { ...times, response: payload.response }
  return payload?.class === 'api-failure' ? { ...times, failure: payload.failure } : times
}

type AttemptTimes = {
  readonly started: string | null
  readonly ended: string | null
  readonly response?: string
  readonly failure?: string
}

type Found = Awaited<ReturnType<typeof brokerStatus>> | Awaited<ReturnType<typeof requestStatus>>

function textOf(found: Found): string {
  const { retries, timeout } = found
  const limits = [
    ['retries', retries],
    ['timeout', timeout === 0 ? 'none' : `${timeout} s`],
  ]
  if (!('attempts' in found)) {
    return rows([['events', found.events], ['open requests', found.open], ...limits])
  }
  const { request, external_uuid, state, attempts } = found
  const head = [['request', request], ['external_uuid', external_uuid], ['state', state], ...limits]
  return rows([...head, ...attempts.map((one) => [`attempt ${one.attempt}`, attemptText(one)])])
}

function attemptText(attempt: Extract<Found, { attempts: unknown }>['attempts'][number]): string {
  const { state, started, ended, response, failure } = attempt
  const times = [started, ended].map((time) => (time ?? '-').padEnd(24))
  return [state.padEnd(7), ...times, printable(response ?? failure ?? '')].join('  ').trimEnd()
}

function rows(members: readonly (readonly (string | number)[])[]): string {
  return members.map(([name, value]) => `${String(name).padEnd(13)}  ${value}\n`).join('')
}
