/** What a worker does with a command, whatever its log is kept in. */
import { AppError } from '../../src/domain/app-error.ts'
import { parseStoredEvent, type StoredEvent } from '../../src/domain/event.ts'
import type { LogEngine } from '../../src/domain/ports.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { parseStreamName } from '../../src/domain/stream-name.ts'
import { appendTo, draft, jsonBody } from '../support/drafts.ts'
import type { Answer, Command } from './workers.ts'

type Placed = { readonly version: number }

export async function answerTo(log: LogEngine, command: Command): Promise<Answer> {
  const { n, id, stream, pad, expected } = command
  const base = draft(0)
  const event = { ...base, eventId: id as typeof base.eventId }
  const body = jsonBody(JSON.stringify({ id, pad: 'x'.repeat(pad) }))
  try {
    if (command.isLook) {
      const head = await log.sequenceHead(streamSequence(parseStreamName(stream)))
      return { n, kind: 'head', version: head?.number ?? -1 }
    }
    const { kind, events } = await log.append(
      appendTo(stream, [{ ...event, body }], {
        expectedVersion:
          expected === undefined ? { kind: 'any' } : { kind: 'version', version: expected },
      }),
    )
    const { version } = parseStoredEvent(events[0] as StoredEvent) as unknown as Placed
    return { n, kind, position: events[0]?.position ?? -1, hash: events[0]?.hash ?? '', version }
  } catch (error) {
    return { n, kind: 'refused', code: error instanceof AppError ? error.code : String(error) }
  }
}
