/**
 * Consumers and subscription groups whose position lies behind the end of the log. That comes of a backup whose
 * records are newer than its log: the next events would take the places that they are done with, and never be
 * delivered. Who asks first sets a position back; this finds and sets back those of all, before new events come.
 */
import { createGroupRecords } from './group-records.ts'
import { createOffsets, type Offset } from './offsets.ts'
import type { Clock, Finding, LogEngine, Store } from './ports.ts'
import { streamSequence, streamTypeSequence } from './sequence.ts'
import { sequenceEnd } from './sequence-range.ts'
import { viewOfStream } from './stream-view.ts'
import { type Group, groupWithin, parkedStreamOf } from './subscription-group.ts'
import type { StreamEnds } from './subscription-state.ts'

type Parts = Pick<Store, 'log' | 'records'> & { readonly clock: Clock }

const REPAIR =
  'events that come now would not be delivered to it; "apie reindex" sets it back to the end'

/** Changes nothing. */
export async function* findPositionsAhead(parts: Parts): AsyncGenerator<Finding> {
  const { log, records } = parts
  for (const offset of await createOffsets(parts).list()) {
    const end = await endOf(log, offset)
    if (offset.offset <= end) continue
    yield finding(
      `The consumer ${offset.consumer} has acknowledged ${offset.offset} events ${JSON.stringify(offset.eventType)} of the stream ${JSON.stringify(offset.stream)}, which has ${end}`,
    )
  }
  for (const group of await createGroupRecords(records).list()) {
    const ends = await endsOf(log, group)
    if (groupWithin(group, ends) === group) continue
    yield finding(
      `The subscription group ${JSON.stringify(group.id.name)} of the stream ${JSON.stringify(group.id.stream)} is ahead of it: the stream has ${ends.stream} events, of which ${group.state.next} were handed out`,
    )
  }
}

const finding = (what: string): Finding => ({ kind: 'repairable', message: `${what}; ${REPAIR}` })

/** @returns how many were set back */
export async function setBackPositionsAhead(parts: Parts): Promise<number> {
  const { log, records } = parts
  const offsets = createOffsets(parts)
  const groups = createGroupRecords(records)
  let count = 0
  for (const offset of await offsets.list()) {
    if ((await offsets.read(offset)) < offset.offset) count++
  }
  for (const { id } of await groups.list()) {
    let isAhead = false
    await groups.change(id, async (now) => {
      const within = groupWithin(now, await endsOf(log, now))
      isAhead = within !== now
      return within
    })
    if (isAhead) count++
  }
  return count
}

const endOf = (log: LogEngine, { stream, eventType }: Offset): Promise<number> =>
  sequenceEnd(log, streamTypeSequence(stream, eventType))

async function endsOf(log: LogEngine, { id }: Group): Promise<StreamEnds> {
  return {
    stream: await sequenceEnd(log, viewOfStream(id.stream).sequence),
    parked: await sequenceEnd(log, streamSequence(parkedStreamOf(id))),
  }
}
