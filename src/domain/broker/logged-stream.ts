/** A broker's stream that tells what is asked of it: a line before and after each call, one for each event read. */
import type { BrokerEvent, BrokerEventId } from './broker-event.ts'
import type { BrokerStream } from './broker-stream.ts'
import type { Report } from './processor-ports.ts'

export function loggedStream(stream: BrokerStream, report: Report): BrokerStream {
  const told = async <T>(name: string, facts: Facts, call: () => Promise<T>): Promise<T> => {
    report('debug', name, facts)
    const result = await call()
    report('debug', `${name} done`, facts)
    return result
  }
  return {
    ...stream,
    offer: (event) => told('insert', { class: event.payload.class }, () => stream.offer(event)),
    insert: (event) => told('insert', { class: event.payload.class }, () => stream.insert(event)),
    read: (id) => told('retrieve', { id }, () => stream.read(id)),
    load: (after) => toldEach(after, stream.load(after), report),
  }
}

type Facts = Readonly<Record<string, string | number>>

async function* toldEach(
  after: BrokerEventId,
  events: AsyncIterable<BrokerEvent>,
  report: Report,
): AsyncGenerator<BrokerEvent> {
  report('debug', 'load', { after })
  for await (const event of events) {
    report('debug', 'load event', { id: event.id, class: event.className })
    yield event
  }
  report('debug', 'load done', { after })
}
