/** A broker's stream that tells what is asked of it: a line before and after each call, one for each event read. */
import type { BrokerEvent } from './broker-event.ts'
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
    load: (after) => toldEach('load', { after }, stream.load(after), report),
    follow: (after, signal) => toldEach('follow', { after }, stream.follow(after, signal), report),
  }
}

type Facts = Readonly<Record<string, string | number>>

async function* toldEach(
  name: string,
  facts: Facts,
  events: AsyncIterable<BrokerEvent>,
  report: Report,
): AsyncGenerator<BrokerEvent> {
  report('debug', name, facts)
  for await (const event of events) {
    report('debug', `${name} event`, { id: event.id, class: event.className })
    yield event
  }
  report('debug', `${name} done`, facts)
}
