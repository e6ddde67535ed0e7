/** Reads a stream event by event for as long as anybody wants, whatever its engine goes through meanwhile. */
import type { BrokerEvent, BrokerEventId } from './broker-event.ts'
import { type BrokerStream, causeOf } from './broker-stream.ts'
import { type PauseParts, pauseAfter } from './passing-failures.ts'

export type FollowedEvent = {
  readonly event: BrokerEvent
  /** Id of the event that caused it, 0 where none did or none is known. */
  readonly cause: BrokerEventId
}

/**
 * The events behind `after`, and then every further one as it comes, until the signal is aborted. Behind a failure
 * of the engine that passes it goes on with the event that follows the last one: each comes once.
 * @throws AppError where the engine fails for good
 */
export async function* followStream(
  stream: BrokerStream,
  after: BrokerEventId,
  parts: PauseParts,
  signal: AbortSignal,
): AsyncGenerator<FollowedEvent> {
  let failures = 0
  for (let from = after; !signal.aborted; ) {
    try {
      const { count } = await stream.log.head()
      const before = from
      for await (const event of stream.load(from)) {
        const cause = await causeOf(stream, event)
        if (signal.aborted) return
        from = event.id
        yield { event, cause }
      }
      failures = 0
      if (from === before) await stream.log.waitForMore(count, signal)
    } catch (error) {
      failures++
      await pauseAfter(error, failures, parts, signal)
    }
  }
}
