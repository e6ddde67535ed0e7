/**
 * What an engine must offer. Everything above `storage/` uses these types only; one contract suite runs
 * against every engine.
 */
import type { Brand } from '../kit/brand.ts'
import type { EventDraft, EventHash, EventId, ParsedEvent, Position, StoredEvent } from './event.ts'
import type { ProducerId } from './producer.ts'
import type { SequenceKey } from './sequence.ts'
import type { StreamName } from './stream-name.ts'

/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Clock = { now(): number }

// ── The log ────────────────────────────────────────────────────────────────────────────────────────

/** Where a log ends. An empty log has count 0 and the hash of nothing. */
export type LogHead = { readonly count: number; readonly hash: EventHash }

/** What a stream must look like for an append to go through. */
export type ExpectedVersion =
  | { readonly kind: 'any' }
  | { readonly kind: 'no-stream' }
  | { readonly kind: 'stream-exists' }
  | { readonly kind: 'version'; readonly version: number }

/** Which repeated event id counts as a retry: only with equal type, body and metadata, or always. */
export type RetryRule = 'equal-content' | 'equal-id'

/** A batch for one stream; it is stored whole or not at all. */
export type AppendRequest = {
  readonly stream: StreamName
  readonly expectedVersion: ExpectedVersion
  /** The hash the log's head must have (Apie's `If-Match`); what is none, no head has. */
  readonly expectedHead?: string
  readonly retryRule: RetryRule
  readonly createdBy: string
  /** Who the writer says it is; a stream that somebody else owns refuses it. */
  readonly producer?: ProducerId
  /** Makes the stream the producer's where nobody owns it; the events then name the producer. */
  readonly claims?: boolean
  /** At least one. */
  readonly events: readonly EventDraft[]
}

/** `appended`: stored now. `already-there`: a retry, these events were stored before, nothing was added. */
export type AppendOutcome = {
  readonly kind: 'appended' | 'already-there'
  readonly events: readonly StoredEvent[]
}

/** What is settled about a stream for ever. */
export type StreamState = {
  /** The producer of the first event that names one. */
  readonly owner?: ProducerId
  /** Whether its last event is a tombstone. */
  readonly isDeleted: boolean
}

/** Last event of a sequence; `number` counts from 0. */
export type SequenceHead = { readonly number: number; readonly position: Position }

/** One member of a sequence. */
export type SequenceEvent = { readonly number: number; readonly event: StoredEvent }

export type ReadDirection = 'forwards' | 'backwards'

/** One defect, in words and by place. */
export type Finding = {
  readonly kind: 'damage' | 'repairable' | 'notice'
  readonly message: string
  readonly position?: number
  readonly hash?: string
}

/** How far a long piece of work is; `total` in the same unit. */
export type Progress = (done: number, total: number) => void

/** What a verification counted, and the defects it found. */
export type VerifyReport = {
  readonly counts: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
  /** Present where it stopped listing defects: these are not all, or need not be. */
  readonly mayHaveMore?: true
}

/**
 * A number that stays the same for as long as a reader of this process finds the same there, whoever writes;
 * `undefined` where telling takes more than a look. What was made of a read that began at a stamp holds while
 * the stamp does.
 */
export type Stamp = () => number | undefined

export type LogEngine = {
  head(): Promise<LogHead>

  /** Absent where an engine cannot tell. */
  readonly stamp?: Stamp

  /**
   * Stores a batch durably; resolves only when it is on disk. Decides by `decideAppend` of `append.ts`.
   * @throws AppError `stream-deleted`, `stream-locked`, `head-mismatch`, `wrong-expected-version` (fact `current`), `event-id-conflict`: nothing
   * was stored; `storage-…`, `lock-timeout`: nothing was stored; `outcome-unknown`: retry with the same ids
   */
  append(request: AppendRequest): Promise<AppendOutcome>

  /**
   * Writes nothing. Absent where an engine knows nothing of the kind.
   * @throws AppError `storage-unavailable` where every append is refused until a person has done something
   */
  ensureWritable?(): Promise<void>

  /** The event at a position, or `undefined` beyond the head. */
  read(position: Position): Promise<StoredEvent | undefined>

  findHash(hash: EventHash): Promise<Position | undefined>

  /** The event with this id in a stream. */
  findEventId(stream: StreamName, eventId: EventId): Promise<StoredEvent | undefined>

  /** An event with this id in whatever stream; where several streams have one, any of them. */
  findEventIdAnywhere(eventId: EventId): Promise<Position | undefined>

  sequenceHead(sequence: SequenceKey): Promise<SequenceHead | undefined>

  /** Number of the event at a position in a sequence that it is a member of. */
  sequenceNumber(sequence: SequenceKey, position: Position): Promise<number>

  streamState(stream: StreamName): Promise<StreamState>

  /** Resolves once the log may have more than `count` events, or `signal` is aborted. */
  waitForMore(count: number, signal: AbortSignal): Promise<void>

  /**
   * At most `limit` members of a sequence from number `from` on, in reading order. Where the events are
   * large there may be fewer, but never none while there are members: read on behind the last one.
   */
  readSequence(
    sequence: SequenceKey,
    from: number,
    direction: ReadDirection,
    limit: number,
  ): Promise<readonly SequenceEvent[]>

  /**
   * The log from position `from` (inclusive) to `to` (exclusive, at most the count), in runs of bounded
   * size. Backwards: from `to - 1` down to `from`. The bytes of a run are valid until the next one is asked for:
   * whoever keeps them copies them.
   */
  readLog(
    from: Position,
    to: Position,
    direction: ReadDirection,
  ): AsyncIterable<readonly StoredEvent[]>

  /**
   * Of the log from `from` to `to` (as in `readLog`, forwards) what `writeEventText` writes of each event, behind
   * a byte `separator`, in pieces. A piece is the reader's, to change it too, until he asks for the next one.
   * Absent where an engine has nothing that is faster than its events.
   */
  readTexts?(from: Position, to: Position, separator: number): AsyncIterable<Uint8Array>

  /** Recomputes every hash, every link and every index entry; changes nothing. */
  verify(progress?: Progress): Promise<VerifyReport>

  /**
   * Takes in a history that has its texts and hashes already, byte for byte.
   * @throws AppError `import-refused` where the history does not fit what is there
   */
  importEvents(events: AsyncIterable<LinkedEvent>, progress?: Progress): Promise<ImportCount>

  /**
   * Removes body and metadata of the events that `drop` says; ids, type, stream, version, position, time and
   * hash stay, and so does the chain. Others read and append meanwhile.
   */
  scavenge(drop: DropRule, progress?: Progress): Promise<ScavengeReport>

  /** Waits for what is under way and lets go of everything held open. */
  close(): Promise<void>
}

/** Whether the body of an event is to go. */
export type DropRule = (event: ParsedEvent, position: Position) => boolean | Promise<boolean>

export type ScavengeReport = {
  /** Events whose body was looked at. */
  readonly events: number
  /** Events whose body was removed. */
  readonly removed: number
  /** Bytes that the log needs less; negative where what is left of batches takes more. */
  readonly bytesFreed: number
}

/** An event with its place in a chain; `json` holds `"hash":null`, and may be valid only until the next is asked for. */
export type LinkedEvent = {
  readonly json: Uint8Array
  readonly hash: EventHash
  readonly previous: EventHash
  /** As in `StoredEvent`: `json` is what is left, and `hash` can only be believed. */
  readonly isScavenged?: true
}

/** How many were taken in, and how many were there before. */
export type ImportCount = { readonly imported: number; readonly alreadyThere: number }

/** An engine that rebuilds what it derived from the log. */
export type Reindexable = { reindex(progress?: Progress): Promise<void> }

// ── Records: state that is not fact ───────────────────────────────────────────────────────────────

/** Name of a set of records, such as `account`. Letters, digits and dashes. */
export type Collection = string

/** A small JSON document under a key, replaced whole. `revision` counts from 0. */
export type StoredRecord = {
  readonly key: string
  readonly value: unknown
  readonly revision: number
}

/** What must be there for a write to go through: nothing, or this revision. */
export type ExpectedRevision = 'absent' | number

export type RecordEngine = {
  /** Of all records together. Absent where an engine cannot tell. */
  readonly stamp?: Stamp
  read(collection: Collection, key: string): Promise<StoredRecord | undefined>
  /** @throws AppError `record-conflict` where the record is not what `expected` says */
  write(
    collection: Collection,
    key: string,
    value: unknown,
    expected: ExpectedRevision,
  ): Promise<StoredRecord>
  /** @throws AppError `record-conflict` where the record is not at revision `expected` */
  remove(collection: Collection, key: string, expected: number): Promise<void>
  /** As in `LogEngine`. */
  ensureWritable?(): Promise<void>
  /**
   * In the order in which the keys first came to be.
   * @param group only the records whose key begins with it and a `/`; holds no `/` itself. Costs as much as
   * there are such records, however many others the collection has
   */
  list(collection: Collection, group?: string): Promise<readonly StoredRecord[]>
  /** The collections that have records, or had some, in any order. May cost as much as all records. */
  collections(): Promise<readonly Collection[]>
  /** Checks what the records are kept in; changes nothing. Absent where that could not be damaged. */
  readonly verify?: (progress?: Progress) => Promise<VerifyReport>
  close(): Promise<void>
}

// ── Content: stored blobs ──────────────────────────────────────────────────────────────────────────

/** 64 lower-case hex digits: SHA-256 of the bytes of a blob. */
export type ContentHash = Brand<string, 'ContentHash'>

/** What is known of a blob besides its bytes. */
export type ContentInfo = {
  readonly hash: ContentHash
  /** Bytes. */
  readonly size: number
  readonly filename: string
  readonly mediaType: string
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly createdAtMs: number
}

/** Bytes `start` to `end`, both inclusive, counted from 0. */
export type ByteRange = { readonly start: number; readonly end: number }

/** What is told of a blob that is put in. */
export type ContentAbout = {
  readonly filename: string
  readonly mediaType: string
  /** When it first came to be, where another store has told; else now. As in `ContentInfo`. */
  readonly createdAtMs?: number
}

export type ContentEngine = {
  /**
   * Takes a stream of bytes into the store; durable when it resolves. Bytes that are there already keep
   * the name and media type of their first upload.
   * @throws AppError `storage-full`, …: nothing was stored
   */
  put(bytes: AsyncIterable<Uint8Array>, about: ContentAbout): Promise<ContentInfo>
  info(hash: ContentHash): Promise<ContentInfo | undefined>
  /**
   * The bytes in chunks; `undefined` where the blob is not there. The bytes of a chunk are valid until the
   * next one is asked for: send or copy them before.
   */
  read(hash: ContentHash, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined>
  /** False where it was not there. */
  remove(hash: ContentHash): Promise<boolean>
  list(): AsyncIterable<ContentInfo>
  /** Hashes every blob again; changes nothing. */
  verify(progress?: Progress): Promise<VerifyReport>
}

/** The three parts of one store. */
export type Store = {
  readonly log: LogEngine
  readonly records: RecordEngine
  readonly content: ContentEngine
  /** Rebuilds the indexes of the log and of the records; absent where an engine derives nothing. */
  readonly reindex?: (progress?: Progress) => Promise<void>
  close(): Promise<void>
}
