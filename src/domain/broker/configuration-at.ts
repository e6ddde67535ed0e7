/** Which configuration is in force at a place of the stream, read from the youngest configurations backwards. */
import { streamSequence, streamTypeSequence } from '../sequence.ts'
import { firstNumberAt } from '../sequence-range.ts'
import { type BrokerEventId, brokerEventOf } from './broker-event.ts'
import type { BrokerStream } from './broker-stream.ts'
import { type Configuration, configured, FIRST_CONFIGURATION } from './request-record.ts'

const PAGE = 16

/** What requests behind the event `after` get, until the next configuration. */
export async function configurationAt(
  stream: BrokerStream,
  after: BrokerEventId,
): Promise<Configuration> {
  let found: Configuration = { retries: -1, timeout: -1 }
  for await (const change of changesBefore(stream, after)) {
    found = configured(change, found)
    if (found.retries >= 0 && found.timeout >= 0) break
  }
  return configured(FIRST_CONFIGURATION, found)
}

/** The configurations up to the event `after`, the youngest first. */
async function* changesBefore(
  { log, name }: BrokerStream,
  after: BrokerEventId,
): AsyncGenerator<Configuration> {
  const sequence = streamTypeSequence(name, 'configuration')
  let from = (await numberBehind({ log, name }, after)) - 1
  while (from >= 0) {
    const page = await log.readSequence(sequence, from, 'backwards', PAGE)
    for (const member of page) {
      const { payload } = brokerEventOf(member)
      if (payload?.class === 'configuration') yield payload
    }
    if (page.length === 0) return
    from -= page.length
  }
}

/** Number of the first configuration behind the event `after`. */
async function numberBehind(
  { log, name }: Pick<BrokerStream, 'log' | 'name'>,
  after: BrokerEventId,
): Promise<number> {
  if (after === 0) return 0
  const [last] = await log.readSequence(streamSequence(name), after - 1, 'forwards', 1)
  const sequence = streamTypeSequence(name, 'configuration')
  return firstNumberAt(log, sequence, (last?.event.position ?? -1) + 1)
}
