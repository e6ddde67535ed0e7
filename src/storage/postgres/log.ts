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
import { importEvents } from './importer.ts'
import * as reads from './log-reads.ts'
import { scavengeLog } from './scavenge.ts'
import { verifyLog } from './verify.ts'

export class PostgresLog implements LogEngine {
  private readonly connection: Connection
  private readonly appender: Appender
  private readonly follower: Follower

  constructor(connection: Connection, clock: Clock) {
    this.connection = connection
    this.follower = new Follower(connection)
    this.appender = new Appender(connection, clock, () => this.follower.ring())
  }

  head(): Promise<LogHead> {
    return reads.readHead(this.connection.read)
  }

  append(request: AppendRequest): Promise<AppendOutcome> {
    return this.appender.append(request)
  }

  read(position: Position): Promise<StoredEvent | undefined> {
    return reads.readPosition(this.connection.read, position)
  }

  findHash(hash: EventHash): Promise<Position | undefined> {
    return reads.findHash(this.connection.read, hash)
  }

  findEventId(stream: StreamName, eventId: EventId): Promise<StoredEvent | undefined> {
    return reads.findEventId(this.connection.read, stream, eventId)
  }

  findEventIdAnywhere(eventId: EventId): Promise<Position | undefined> {
    return reads.findEventIdAnywhere(this.connection.read, eventId)
  }

  sequenceHead(sequence: SequenceKey): Promise<SequenceHead | undefined> {
    return reads.readSequenceHead(this.connection.read, sequence)
  }

  sequenceNumber(sequence: SequenceKey, position: Position): Promise<number> {
    return reads.readSequenceNumber(this.connection.read, sequence, position)
  }

  streamState(stream: StreamName): Promise<StreamState> {
    return reads.readStreamState(this.connection.read, stream)
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
    return reads.readPage(this.connection.read, sequence, from, direction, limit)
  }

  readLog(
    from: Position,
    to: Position,
    direction: ReadDirection,
  ): AsyncIterable<readonly StoredEvent[]> {
    return reads.readRuns(this.connection.read, from, to, direction)
  }

  verify(progress: Progress = () => {}): Promise<VerifyReport> {
    return verifyLog(this.connection.read, progress)
  }

  scavenge(drop: DropRule, progress: Progress = () => {}): Promise<ScavengeReport> {
    return scavengeLog(this.connection, drop, progress)
  }

  async importEvents(
    events: AsyncIterable<LinkedEvent>,
    progress: Progress = () => {},
  ): Promise<ImportCount> {
    try {
      return await importEvents(this.connection, events, progress)
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
