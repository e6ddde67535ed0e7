/**
 * Compares an index with the events of its log, one by one as `verify-log.ts` meets them.
 *
 * Places, hashes and look-ups are compared for every event. Numbers in sequences, and where a sequence ends, are
 * compared as long as the sequences fit into memory; those that begin after that are counted by nobody here.
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import type { Finding, SequenceHead } from '../../domain/ports.ts'
import type { SequenceKey } from '../../domain/sequence.ts'
import { Entry, laneOf, marksAfter, NO_MARKS, type StreamMarks } from './entry.ts'
import { type IndexHead, trustedPoint } from './head-file.ts'
import { IndexFiles } from './index-files.ts'
import { LogIndex } from './log-index.ts'
import type { LogOptions } from './log-options.ts'
import type { IndexedEvent } from './pending-events.ts'

const MOST_SEQUENCES = 200_000
const MOST_FINDINGS = 100
/** Bytes of an entry that say where the event is, and its hash. */
const PLACES = [
  [0, 16],
  [20, 26],
  [32, 64],
] as const

/** The same, by the line alone. */
const LINES = [
  [0, 4],
  [12, 16],
  [20, 26],
  [32, 64],
] as const

export class IndexAudit {
  compared = 0
  /** Whether something was not compared any more, since enough was reported. */
  isCutShort = false
  private readonly files: IndexFiles
  private readonly index: LogIndex
  private readonly options: LogOptions
  private readonly findings: Finding[]
  private readonly end: number
  private readonly last = new Map<SequenceKey, { number: number; position: number }>()
  private readonly marks = new Map<string, StreamMarks>()
  private reported = 0

  private constructor(
    options: LogOptions,
    head: IndexHead,
    files: IndexFiles,
    findings: Finding[],
  ) {
    this.options = options
    this.files = files
    this.findings = findings
    // What was not synced before the machine started anew is not believed by anybody.
    const trusted = trustedPoint(head, options.boot)
    this.end = trusted.count
    this.index = new LogIndex(options.storeId, options.sequenceRule, trusted, files)
  }

  static open(options: LogOptions, head: IndexHead, findings: Finding[]): IndexAudit | undefined {
    const folder = join(options.layout.index, head.generation)
    const files = IndexFiles.open(options.disk, folder, 'read')
    if (files) return new IndexAudit(options, head, files, findings)
    findings.push({ kind: 'repairable', message: 'Files of the index are missing' })
    return undefined
  }

  close(): void {
    this.index.close()
  }

  /** @param isMoved whether its file was scavenged: where an event stands in its line may have changed */
  check(position: number, event: IndexedEvent, isMoved: boolean): void {
    if (position >= this.end) return
    if (this.reported >= MOST_FINDINGS) {
      this.isCutShort = true
      return
    }
    try {
      const problem = this.problem(position, event, isMoved)
      if (problem) this.report(position, problem)
      else this.compared++
    } catch (error) {
      if (!isDamage(error)) throw error
      this.report(position, 'is missing')
    }
  }

  /** Behind the last event: whether every sequence that was counted is found, and ends where it does. */
  finish(): void {
    // Of an index that is to be built anew anyway not all was counted.
    if (this.reported > 0) return
    for (const [key, { number, position }] of this.last) {
      if (this.reported >= MOST_FINDINGS) {
        this.isCutShort = true
        return
      }
      const found = this.headOf(key)
      if (found?.number === number && found.position === position) continue
      this.report(position, `is not found as the last of ${key}`)
    }
  }

  private headOf(key: SequenceKey): SequenceHead | undefined {
    try {
      return this.index.sequenceHead(key, this.end)
    } catch (error) {
      if (!isDamage(error)) throw error
      return undefined
    }
  }

  private problem(position: number, event: IndexedEvent, isMoved: boolean): string | undefined {
    const entry = this.files.entry(position)
    const expected = Entry.of({ ...event, createdAtMs: entry.createdAtMs })
    const isSame = (isMoved ? LINES : PLACES).every(([from, to]) =>
      entry.bytes.subarray(from, to).equals(expected.bytes.subarray(from, to)),
    )
    if (!isSame) return 'names another place or hash'
    if (!this.hasRightMarks(event, entry)) return 'is wrong about whom the stream belongs to'
    if (this.index.findHash(event.hash, this.end) !== position) return 'is not found by its hash'
    const byId = this.index.findEventId(event.stream, event.eventId, this.end)
    if (!byId.includes(position)) return 'is not found by its id'
    if (this.index.findEventIdAnywhere(event.eventId, this.end).length === 0) {
      return 'is not found by its id alone'
    }
    return this.sequenceProblem(position, event, entry)
  }

  /** Asked before the event is counted in its sequences. */
  private hasRightMarks(event: IndexedEvent, entry: Entry): boolean {
    const before = this.marks.get(event.stream)
    const version = entry.lane(0)?.number ?? 0
    if (!before && (version > 0 || this.marks.size >= MOST_SEQUENCES)) return true
    const expected = marksAfter(before ?? NO_MARKS, event, version)
    this.marks.set(event.stream, expected)
    const { ownedFrom, isDeleted } = entry.marks
    return ownedFrom === expected.ownedFrom && isDeleted === expected.isDeleted
  }

  private sequenceProblem(position: number, event: IndexedEvent, entry: Entry): string | undefined {
    const version = entry.lane(0)?.number ?? -1
    for (const key of this.options.sequenceRule({ ...event, version })) {
      const before = this.last.get(key)
      if (!before && this.last.size >= MOST_SEQUENCES) continue
      const lane = entry.lane(laneOf(key))
      const number = (before?.number ?? -1) + 1
      this.last.set(key, { number, position })
      if (lane?.number !== number) return `has a wrong number in ${key}`
      if (lane.previous !== (before?.position ?? -1)) return `has a wrong link in ${key}`
      if (before && this.files.links.next(before.position, laneOf(key)) !== position) {
        return `is not linked in ${key}`
      }
    }
    return undefined
  }

  private report(position: number, problem: string): void {
    this.reported++
    this.findings.push({
      kind: 'repairable',
      message: `The index entry at position ${position} ${problem}`,
      position,
    })
  }
}

const isDamage = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'index-damaged'

/** What to do about what an index lacks. None is built of a log that is damaged. */
export function withAdvice(findings: readonly Finding[]): Finding[] {
  const isDamaged = findings.some(({ kind }) => kind === 'damage')
  const advice = isDamaged ? 'the damage comes first' : '"apie reindex" repairs it'
  return findings.map((finding) =>
    finding.kind === 'repairable'
      ? { ...finding, message: `${finding.message}; ${advice}` }
      : finding,
  )
}
