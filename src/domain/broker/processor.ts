/**
 * A processor, step by step: read what is new, see what is due, write it. It calls the API for an attempt when
 * it meets its own `api-request` in the stream, and never otherwise.
 *
 * Invariants
 *  1. The log alone says who calls: the run that the `api-request` of an attempt names. Its id follows from
 *     request and attempt (`attempt-id.ts`), so there is one, and a run meets it once.
 *  2. What is decided here may be old by the time it is written; the ids make it harmless.
 *  3. A call lives as long as its run. What a killed run has called is never called again: its attempt ends
 *     by timeout or as interrupted, and the next one follows.
 *
 * When steps are made is `run-processor.ts`.
 */
import { attemptEventId } from './attempt-id.ts'
import { steadyTimeOf } from './attempt-times.ts'
import { type BrokerEvent, type BrokerEventId, PROCESSOR } from './broker-event.ts'
import { causeOf } from './broker-stream.ts'
import { configurationAt } from './configuration-at.ts'
import { ForeignAttempts } from './foreign-attempts.ts'
import { type Due, keyOf, OwnCalls } from './own-calls.ts'
import type { ProcessorParts, Report } from './processor-ports.ts'
import { type Change, Requests, type TrackedRequest } from './requests.ts'
import { StartQueue } from './start-queue.ts'

export class Processor {
  private readonly parts: ProcessorParts
  private readonly calls: OwnCalls
  private readonly foreign: ForeignAttempts
  private readonly starts: StartQueue
  /** Texts of requests whose next attempt was offered to the stream. */
  private readonly texts = new Map<string, string>()
  /** Requests that somebody has put other events in the way of. */
  private readonly blocked = new Set<BrokerEventId>()
  private requests: Requests | undefined
  /** Everything up to this event was read. */
  private at: BrokerEventId = 0
  private isAnnounced = false
  /** What was there before this run is not told event by event. */
  private isReplaying = true

  /** @param wake told whenever a step has something to do that no other step would notice */
  constructor(parts: ProcessorParts, wake: () => void = () => {}) {
    this.parts = parts
    this.calls = new OwnCalls(parts, wake)
    this.foreign = new ForeignAttempts(parts.presence, parts.options)
    this.starts = new StartQueue(parts.options)
  }

  /** True where neither a call is under way nor an attempt can be started now. */
  get isIdle(): boolean {
    return this.calls.size === 0 && this.starts.isEmpty
  }

  /** Steady time at which a step has something to do, if nothing happens before. */
  get nextDue(): number {
    return Math.min(this.calls.nextDue, this.foreign.nextDue, this.starts.nextDue)
  }

  /**
   * @returns whether there may be more to do at once
   * @throws AppError as the engine does; the step may be repeated
   */
  async step(): Promise<boolean> {
    const before = this.at
    await this.catchUp()
    const due = [
      ...this.calls.due(),
      ...(await this.foreign.due(this.parts.timers.now())),
      ...(await this.startsDue()),
    ]
    await writeAll(due.map((one) => this.write(one)))
    return due.length > 0 || this.at > before
  }

  /** Aborts the calls, writes that, and lets others know that this run has ended. */
  async stop(): Promise<void> {
    this.calls.interrupt('interrupted: the processor was stopped')
    await writeAll(this.calls.due().map((one) => this.write(one)))
    await this.parts.presence.withdraw()
  }

  /** Notes how far every request is settled. */
  async noteCheckpoint(): Promise<void> {
    if (this.parts.startAfter !== undefined || !this.requests) return
    const [oldest] = this.requests.open.keys()
    await this.parts.checkpoint.write(oldest === undefined ? this.at : oldest - 1)
  }

  private async catchUp(): Promise<void> {
    const { stream, startAfter, checkpoint } = this.parts
    if (!this.requests) {
      const start = startAfter ?? (await checkpoint.read())
      this.requests = new Requests(start, await configurationAt(stream, start))
      this.at = start
    }
    for await (const event of stream.load(this.at)) {
      this.take(event, this.requests.take(event, await causeOf(stream, event)))
      this.at = event.id
    }
    this.isReplaying = false
  }

  private take(event: BrokerEvent, change: Change): void {
    const { id } = event
    switch (change.kind) {
      case 'nothing':
        this.report('debug', 'event', { id, class: event.className })
        break
      case 'ignored':
        this.report('warning', 'event ignored', { id, reason: change.reason })
        break
      case 'configuration':
        this.report('info', 'configuration', { id, ...change.configuration })
        break
      case 'request':
        this.report('info', 'request', { id })
        this.starts.update(change.request, this.sinceOf(event))
        break
      case 'attempt':
        this.takeAttempt(event, change)
        break
      default:
        change satisfies never
    }
  }

  private takeAttempt(
    event: BrokerEvent,
    { request, payload, hasChanged }: Extract<Change, { kind: 'attempt' }>,
  ): void {
    const { attempt } = payload
    const state = request.record.overall
    this.report('info', payload.class, { id: event.id, request: request.id, attempt, state })
    if (!hasChanged || this.blocked.has(request.id)) return
    if (payload.class === 'api-request') this.begin(event, request, attempt)
    else this.foreign.remove(request, attempt)
    this.starts.update(request, this.sinceOf(event))
  }

  /** The one place where a call starts. */
  private begin(event: BrokerEvent, request: TrackedRequest, attempt: number): void {
    const key = keyOf(request, attempt)
    const text = this.texts.get(key)
    this.texts.delete(key)
    if (event.processor === this.parts.run && text !== undefined) {
      this.calls.start(request, attempt, text)
    } else {
      const times = { startedMs: this.sinceOf(event), metMs: this.parts.timers.now() }
      this.foreign.add(request, attempt, event.processor, times)
    }
  }

  private async startsDue(): Promise<Due[]> {
    const { options, timers, stream, presence } = this.parts
    const free = Math.max(0, options.maxParallel - this.calls.pending)
    const requests = this.starts.peek(free, timers.now())
    if (requests.length > 0 && !this.isAnnounced) {
      await presence.announce()
      this.isAnnounced = true
    }
    const due: Due[] = []
    for (const request of requests) {
      const attempt = request.record.startable
      const payload = (await stream.read(request.id))?.payload
      if (attempt === undefined || payload?.class !== 'request') {
        // Its text was removed for good; it must not keep the place of others.
        this.starts.remove(request)
        this.report('warning', 'request without its text', { request: request.id })
        continue
      }
      this.texts.set(keyOf(request, attempt), payload.request)
      due.push({ request, payload: { class: 'api-request', attempt } })
    }
    return due.length === 0 && requests.length > 0 ? this.startsDue() : due
  }

  private async write({ request, payload, written }: Due): Promise<void> {
    const { stream, run } = this.parts
    const uuid = attemptEventId(request.uuid, payload)
    const about = { [PROCESSOR]: run }
    const { id, isNew } = await stream.offer({ payload, causation: request.id, uuid, about })
    if (!isNew) await this.checkOther(request, payload.attempt, id)
    written?.()
  }

  /** Something else under an id of ours would be offered for ever. */
  private async checkOther(
    request: TrackedRequest,
    attempt: number,
    id: BrokerEventId,
  ): Promise<void> {
    const other = await this.parts.stream.read(id)
    const payload = other?.payload
    const isOurs = payload && 'attempt' in payload && payload.attempt === attempt
    if (isOurs && other?.causation === request.id) return
    this.blocked.add(request.id)
    this.starts.remove(request)
    this.foreign.remove(request, attempt)
    this.parts.report('error', 'an event is in the way of this request', {
      id,
      request: request.id,
    })
  }

  private readonly report: Report = (level, message, facts) => {
    const isOld = this.isReplaying && level === 'info'
    this.parts.report(isOld ? 'debug' : level, message, facts)
  }

  private sinceOf({ createdAt }: BrokerEvent): number {
    const { clock, timers } = this.parts
    return steadyTimeOf(createdAt, { wallMs: clock.now(), steadyMs: timers.now() })
  }
}

/** Waits for all, also where one fails. */
async function writeAll(writes: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(writes)
  for (const one of settled) if (one.status === 'rejected') throw one.reason
}
