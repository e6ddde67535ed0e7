/** The log in a database: appends, reads, following and verification put together. */
import type { EventHash, EventId, Position, StoredEvent } from '../../domain/event.ts'
import type {
  AppendOutcome,
  AppendRequest,
  Clock,
  DropRule,
  ImportCount,
  LinkedEvent,
  LogEngine,
  LogHead,
  Progress,
  ReadDirection,
  ScavengeReport,
  SequenceEvent,
  SequenceHead,
  StreamState,
  VerifyReport,
} from '../../domain/ports.ts'
import type { SequenceKey } from '../../domain/sequence.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { Appender } from './appender.ts'
import type { Connection } from './connection.ts'
import { Follower } from './follow.ts'
import { Importer } from './importer.ts'
import { LogReads } from './log-reads.ts'
import { scavengeLog } from './scavenge.ts'
import { verifyLog } from './verify.ts'
import { Visible } from './visible.ts'

export class MongoLog implements LogEngine {
  private readonly connection: Connection
  private readonly visible: Visible
  private readonly reads: LogReads
  private readonly appender: Appender
  private readonly follower: Follower

  constructor(connection: Connection, clock: Clock) {
    this.connection = connection
    this.visible = new Visible(connection)
    this.reads = new LogReads(connection, this.visible)
    this.follower = new Follower(connection)
    this.appender = new Appender(connection, this.visible, clock, () => this.follower.ring())
  }

  head(): Promise<LogHead> {
    return this.reads.head()
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    return this.appender.append(request)
  }

  read(position: Position): Promise<StoredEvent | undefined> {
    return this.reads.read(position)
  }

  findHash(hash: EventHash): Promise<Position | undefined> {
    return this.reads.findPosition({ hash })
  }

  findEventId(stream: StreamName, eventId: EventId): Promise<StoredEvent | undefined> {
    return this.reads.findEvent({ eventId, stream })
  }

  findEventIdAnywhere(eventId: EventId): Promise<Position | undefined> {
    return this.reads.findPosition({ eventId })
  }

  sequenceHead(sequence: SequenceKey): Promise<SequenceHead | undefined> {
    return this.reads.sequenceHead(sequence)
  }

  sequenceNumber(sequence: SequenceKey, position: Position): Promise<number> {
    return this.reads.sequenceNumber(sequence, position)
  }

  streamState(stream: StreamName): Promise<StreamState> {
    return this.reads.streamState(stream)
  }

  waitForMore(count: number, signal: AbortSignal): Promise<void> {
    return this.follower.waitForMore(count, async () => (await this.head()).count, signal)
  }

  readSequence(
    sequence: SequenceKey,
    from: number,
    direction: ReadDirection,
    limit: number,
  ): Promise<readonly SequenceEvent[]> {
    return this.reads.page(sequence, from, direction, limit)
  }

  readLog(
    from: Position,
    to: Position,
    direction: ReadDirection,
  ): AsyncIterable<readonly StoredEvent[]> {
    return this.reads.runs(from, to, direction)
  }

  verify(progress: Progress = () => {}): Promise<VerifyReport> {
    return verifyLog(this.connection, this.visible, progress)
  }

  scavenge(drop: DropRule, progress: Progress = () => {}): Promise<ScavengeReport> {
    return scavengeLog(this.connection, this.visible, this.reads, { drop, progress })
  }

  async importEvents(
    events: AsyncIterable<LinkedEvent>,
    progress: Progress = () => {},
  ): Promise<ImportCount> {
    try {
      return await new Importer(this.connection, this.visible, this.reads).take(events, progress)
    } finally {
      this.appender.forget()
      this.follower.ring()
    }
  }

  async close(): Promise<void> {
    await this.appender.idle()
    await this.follower.close()
  }
}
