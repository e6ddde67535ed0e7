/** `apie broker configure` and `insert`: one event more; its id goes to standard output. */
import type { BrokerEventId } from '../../domain/broker/broker-event.ts'
import { LONGEST_TIMEOUT, MOST_RETRIES, type Payload } from '../../domain/broker/event-classes.ts'
import type { CommandCall } from '../command.ts'
import { usage } from '../usage.ts'
import { jsonLine } from './event-line.ts'
import { HINT } from './hint.ts'
import { withBroker } from './open-broker.ts'
import { idOption, numberOption, parseUuid, textOption } from './values.ts'

export async function runConfigure(call: CommandCall): Promise<void> {
  const retries = numberOption(call, 'retries', -1, { min: -1, max: MOST_RETRIES, isWhole: true })
  const timeout = numberOption(call, 'timeout', -1, { min: -1, max: LONGEST_TIMEOUT })
  if (timeout < 0 && timeout !== -1) {
    throw usage('--timeout must be -1, which leaves it as it is, 0 or more seconds', HINT)
  }
  await store(call, { class: 'configuration', retries, timeout }, 0)
}

export async function runInsert(call: CommandCall): Promise<void> {
  const [className = '', text = ''] = call.words
  const payload = payloadOf(className, text)
  await store(call, payload, idOption(call, 'causation') ?? 0)
}

function payloadOf(className: string, text: string): Payload {
  switch (className) {
    case 'simple':
      return { class: 'simple', message: text }
    case 'request':
      return { class: 'request', request: text }
    case 'response':
      return { class: 'api-response', attempt: 0, response: text }
    case 'failure':
      return { class: 'api-failure', attempt: 0, failure: text }
    default:
      throw usage(`CLASS must be simple, request, response or failure, not "${className}"`, HINT)
  }
}

async function store(call: CommandCall, payload: Payload, causation: BrokerEventId): Promise<void> {
  const uuid = parseUuid(textOption(call, 'external-uuid') ?? '', '--external-uuid')
  await withBroker(call, 'create', async ({ stream }) => {
    if (causation > (await stream.head())) {
      await call.terminal.err(`there is no event ${causation} yet, which this one is caused by\n`)
    }
    const stored = await stream.insert({ payload, causation, uuid })
    await call.terminal.out(call.options['json'] ? jsonLine(stored) : `${stored.id}\n`)
  })
}
