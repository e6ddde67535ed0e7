/** Events of the log that somebody may read: those of streams that are closed to him are left out. */
import type { Principal } from './account.ts'
import type { StoredEvent } from './event.ts'
import { viewEvent } from './event-view.ts'
import type { StreamName } from './stream-name.ts'
import type { StreamRights } from './stream-rights.ts'

export type EventFilter = (event: StoredEvent) => Promise<boolean> | boolean

/** `undefined`: all of them may be read. What is known of a stream is asked for once. */
export function readableEvents(
  rights: StreamRights,
  principal: Principal,
): EventFilter | undefined {
  if (principal.role === 'admin') return undefined
  const known = new Map<string, boolean | Promise<boolean>>()
  return (event) => {
    const stream = streamOf(event)
    const there = known.get(stream)
    if (there !== undefined) return there
    const asked = rights.allows(principal, 'read', stream).then((isAllowed) => {
      known.set(stream, isAllowed)
      return isAllowed
    })
    known.set(stream, asked)
    return asked
  }
}

const START = Buffer.from('{"eventId":"')
const KEY = Buffer.from('"stream":"')
const QUOTE = 0x22

/** In texts of our own the name comes before anything that could look like it. */
function streamOf(event: StoredEvent): StreamName {
  const json = Buffer.from(event.json.buffer, event.json.byteOffset, event.json.byteLength)
  const from = json.subarray(0, START.length).equals(START) ? json.indexOf(KEY) : -1
  if (from < 0) return viewEvent(event).stream
  const end = json.indexOf(QUOTE, from + KEY.length)
  const text = json.toString('utf8', from + KEY.length, end)
  return text.includes('\\') ? viewEvent(event).stream : (text as StreamName)
}

/** The runs with only what `filter` lets through. */
export async function* filteredRuns(
  runs: AsyncIterable<readonly StoredEvent[]>,
  filter: EventFilter,
): AsyncGenerator<readonly StoredEvent[]> {
  for await (const run of runs) {
    const kept: StoredEvent[] = []
    for (const event of run) {
      const isKept = filter(event)
      if (isKept === true || (isKept !== false && (await isKept))) kept.push(event)
    }
    yield kept
  }
}
