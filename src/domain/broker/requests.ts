/**
 * Folds the broker's events, one after the other, into the records of requests: those that are open, and the
 * few that were settled last. It decides nothing; whoever holds it does.
 */
import { BoundedMap } from '../../kit/bounded-map.ts'
import type { EventId } from '../event.ts'
import type { BrokerEvent, BrokerEventId } from './broker-event.ts'
import type { AttemptPayload } from './event-classes.ts'
import { type Configuration, configured, RequestRecord } from './request-record.ts'

export type TrackedRequest = {
  readonly id: BrokerEventId
  readonly uuid: EventId
  readonly record: RequestRecord
}

/** What an event meant. */
export type Change =
  | { readonly kind: 'configuration'; readonly configuration: Configuration }
  | { readonly kind: 'request'; readonly request: TrackedRequest }
  | {
      readonly kind: 'attempt'
      readonly request: TrackedRequest
      readonly payload: AttemptPayload
      /** False where it came too late to change anything. */
      readonly hasChanged: boolean
    }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'ignored'; readonly reason: string }

/** Settled requests that late events are still told of. */
const MOST_SETTLED = 1000

export class Requests {
  configuration: Configuration
  /** In the order of their ids. */
  readonly open = new Map<BrokerEventId, TrackedRequest>()
  private readonly settled = new BoundedMap<BrokerEventId, TrackedRequest>(MOST_SETTLED)
  private readonly start: BrokerEventId

  /**
   * @param start the events behind this one are taken; requests up to it are settled, or to be left alone
   * @param configuration in force there
   */
  constructor(start: BrokerEventId, configuration: Configuration) {
    this.start = start
    this.configuration = configuration
  }

  /** @param cause id of the event that caused it, 0 where none did */
  take({ id, uuid, className, payload, problem }: BrokerEvent, cause: BrokerEventId): Change {
    if (!payload) return { kind: 'ignored', reason: `${className}: ${problem}` }
    switch (payload.class) {
      case 'simple':
        return { kind: 'nothing' }
      case 'configuration':
        this.configuration = configured(this.configuration, payload)
        return { kind: 'configuration', configuration: this.configuration }
      case 'request': {
        const request = { id, uuid, record: new RequestRecord(this.configuration) }
        this.open.set(id, request)
        return { kind: 'request', request }
      }
      default:
        return this.takeAttempt(payload, cause)
    }
  }

  /** A request that is open, or that was settled not long ago. */
  find(id: BrokerEventId): TrackedRequest | undefined {
    return this.open.get(id) ?? this.settled.get(id)
  }

  private takeAttempt(payload: AttemptPayload, cause: BrokerEventId): Change {
    const request = this.find(cause)
    // Whoever begins to read while others work meets the rest of what they have settled.
    if (!request && cause > 0 && cause <= this.start) return { kind: 'nothing' }
    if (!request) {
      return { kind: 'ignored', reason: `${payload.class} of no request that is open (${cause})` }
    }
    const { record } = request
    if (payload.attempt >= record.attempts) {
      const reason = `${payload.class} of attempt ${payload.attempt}, which request ${cause} does not have`
      return { kind: 'ignored', reason }
    }
    const hasChanged = record.apply(payload)
    if (record.isSettled && this.open.delete(cause)) this.settled.set(cause, request)
    return { kind: 'attempt', request, payload, hasChanged }
  }
}
