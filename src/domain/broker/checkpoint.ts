/**
 * Where processors begin to read: every request up to there is settled. It is a fact about the stream, the same
 * for every processor, and only saves reading: without it, or with one that does not fit the log, they begin
 * at the first event.
 */
import { AppError } from '../app-error.ts'
import type { EventHash } from '../event.ts'
import type { RecordEngine } from '../ports.ts'
import { streamSequence } from '../sequence.ts'
import type { BrokerEventId } from './broker-event.ts'
import type { BrokerStream } from './broker-stream.ts'

export type Checkpoint = {
  /** Every request up to this event is settled. */
  read(): Promise<BrokerEventId>
  /** Notes that, unless somebody has noted more. */
  write(settled: BrokerEventId): Promise<void>
}

const COLLECTION = 'broker-checkpoint'

/** The hash shows that it speaks of this log, and not of one that was put back from a backup. */
type Mark = { readonly settled: BrokerEventId; readonly hash: EventHash }

export function createCheckpoint(stream: BrokerStream, records: RecordEngine): Checkpoint {
  const hashOf = async (id: BrokerEventId): Promise<EventHash | undefined> => {
    const sequence = streamSequence(stream.name)
    const [member] = await stream.log.readSequence(sequence, id - 1, 'forwards', 1)
    return member?.number === id - 1 ? member.event.hash : undefined
  }
  const find = async () => {
    const record = await records.read(COLLECTION, stream.name)
    const { settled, hash } = (record?.value ?? {}) as Partial<Mark>
    const isFit =
      Number.isSafeInteger(settled) && hash !== undefined && (await hashOf(settled ?? 0)) === hash
    return {
      settled: isFit && settled !== undefined ? settled : 0,
      revision: record?.revision ?? ('absent' as const),
    }
  }
  return {
    read: async () => (await find()).settled,
    async write(settled) {
      const found = await find()
      const hash = settled > found.settled ? await hashOf(settled) : undefined
      if (hash === undefined) return
      try {
        await records.write(
          COLLECTION,
          stream.name,
          { settled, hash } satisfies Mark,
          found.revision,
        )
      } catch (error) {
        // Another processor notes its own; one of them is as good as the other.
        if (!(error instanceof AppError && error.code === 'record-conflict')) throw error
      }
    },
  }
}
