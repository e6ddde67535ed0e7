/** `apie broker watch` and `watch-requests`: what happens, as it happens, until they are interrupted: a database that is away for a while ends neither. */
import { checkedStart } from '../../domain/broker/broker-stream.ts'
import { configurationAt } from '../../domain/broker/configuration-at.ts'
import { followStream } from '../../domain/broker/follow-stream.ts'
import { type Change, Requests } from '../../domain/broker/requests.ts'
import type { CommandCall } from '../command.ts'
import { withBroker } from './open-broker.ts'
import { timers } from './timers.ts'
import { idOption } from './values.ts'

/** Ids of events that come from now on. */
export async function runWatch(call: CommandCall): Promise<void> {
  const { terminal, options, services } = call
  const signal = services.untilStopped()
  await withBroker(call, 'existing', async ({ stream, report }) => {
    const head = await stream.head()
    await terminal.err(`watching for events behind ${head}\n`)
    for await (const { event } of followStream(stream, head, { timers, report }, signal)) {
      const { id } = event
      await terminal.out(options['json'] ? `${JSON.stringify({ id })}\n` : `${id}\n`)
    }
  })
}

/** A line for every event that belongs to a request: those that are there, and then new ones. */
export async function runWatchRequests(call: CommandCall): Promise<void> {
  const after = idOption(call, 'start-after') ?? 0
  const signal = call.services.untilStopped()
  await withBroker(call, 'existing', async ({ stream, report }) => {
    const start = await checkedStart(stream, after)
    const requests = new Requests(start, await configurationAt(stream, start))
    const followed = followStream(stream, start, { timers, report }, signal)
    for await (const { event, cause } of followed) {
      const change = requests.take(event, cause)
      if (change.kind === 'ignored') {
        report('warning', 'event ignored', { id: event.id, reason: change.reason })
      }
      const line = transitionLine(change, call.options['json'] === true)
      if (line !== undefined) await call.terminal.out(line)
    }
  })
}

function transitionLine(change: Change, isJson: boolean): string | undefined {
  if (change.kind !== 'request' && change.kind !== 'attempt') return undefined
  const { id, record } = change.request
  const attempt = change.kind === 'attempt' ? change.payload.attempt : null
  const state = record.overall
  const className = change.kind === 'attempt' ? change.payload.class : 'request'
  if (isJson) return `${JSON.stringify({ request: id, state, attempt, class: className })}\n`
  const number = attempt === null ? '-' : String(attempt)
  return `${String(id).padStart(6)}  ${state.padEnd(7)}  ${number.padStart(3)}  ${className}\n`
}
