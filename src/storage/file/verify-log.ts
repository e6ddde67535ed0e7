/**
 * Checks a log from its first byte: head lines, hashes, links, places; then every event against what the
 * index says of it. Changes nothing, and goes on behind each defect.
 */
import { join } from 'node:path'
import { AppError } from '../../domain/app-error.ts'
import { type EventHash, type ParsedEvent, parseStoredEvent } from '../../domain/event.ts'
import type { Finding, Progress, VerifyReport } from '../../domain/ports.ts'
import { GENESIS, HeadFile, type IndexHead, mostOf } from './head-file.ts'
import { IndexAudit, withAdvice } from './index-audit.ts'
import { segmentName } from './layout.ts'
import { type LineEvent, readLine } from './log-line.ts'
import type { LogOptions } from './log-options.ts'
import { Segment } from './segment.ts'

/** Streams whose versions are counted. */
const MOST_STREAMS = 200_000
/** Lines that nothing in their file counts behind. */
const ENDS = ['seal', 'moved']

type At = { count: number; hash: EventHash }

export async function verifyLog(options: LogOptions, progress?: Progress): Promise<VerifyReport> {
  const audit = new LogAudit(options, progress)
  return await audit.run()
}

class LogAudit {
  private readonly options: LogOptions
  private readonly progress: Progress | undefined
  private readonly findings: Finding[] = []
  private readonly head: IndexHead | undefined
  private readonly index: IndexAudit | undefined
  private readonly total: number
  /** Names in the folder when the check began: files that are made meanwhile are left for the next one. */
  private readonly names: readonly string[]
  private readonly isFolderGone: boolean
  private at: At = { count: 0, hash: GENESIS.hash }
  private bytesDone = 0
  private voidBytes = 0
  private scavenged = 0
  private isDamaged = false
  /** Events of each stream so far. */
  private readonly versions = new Map<string, number>()

  constructor(options: LogOptions, progress: Progress | undefined) {
    this.options = options
    this.progress = progress
    this.head = new HeadFile(options.disk, options.layout.index, options.storeId).read()
    this.index = this.head && IndexAudit.open(options, this.head, this.findings)
    const names = options.disk.list(options.layout.segments)
    this.isFolderGone = names === undefined
    this.names = names ?? []
    this.total = logBytes(options, this.names)
  }

  async run(): Promise<VerifyReport> {
    // It is made with the store: without it, and without an index, a log would pass for a new one.
    if (this.isFolderGone) this.damage('The folder of the log is missing')
    let number = 1
    while (await this.segment(number)) number++
    const known = this.head ? mostOf(this.head) : 0
    if (known > this.at.count) {
      this.damage(`The log ends after ${this.at.count} events, but ${known} were acknowledged`)
    }
    if (!this.head && this.at.count > 0) {
      this.findings.push({ kind: 'repairable', message: 'There is no index' })
    }
    this.strayFiles(number + 1)
    this.index?.finish()
    this.index?.close()
    return {
      counts: {
        events: this.at.count,
        segments: this.names.filter(isLogFile).length,
        voidBytes: this.voidBytes,
        ...(this.scavenged > 0 && { scavenged: this.scavenged }),
        indexed: this.index?.compared ?? 0,
      },
      findings: withAdvice(this.findings),
      ...(this.index?.isCutShort && { mayHaveMore: true }),
    }
  }

  /** True where another file of the log follows. */
  private async segment(number: number): Promise<boolean> {
    const { disk, layout, storeId } = this.options
    const isFollowed = this.names.some((name) => isLogFile(name) && name > segmentName(number))
    let segment: Segment | undefined
    try {
      segment = Segment.open(disk, layout, number, 'read')
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'log-damaged')) throw error
      this.damage(error.message)
      return isFollowed
    }
    if (!segment) {
      if (number > 1 || isFollowed) this.damage(`File ${segmentName(number)} of the log is missing`)
      return isFollowed
    }
    try {
      const isSealed = await this.lines(segment, this.headEnd(segment, storeId))
      if (isFollowed && !isSealed)
        this.damage(`The end of file ${segmentName(number)} of the log is missing`)
      return isFollowed
    } finally {
      segment.close()
    }
  }

  private headEnd(segment: Segment, storeId: string): number {
    try {
      return segment.checkHead(this.at.count, this.at.hash, storeId)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      this.damage(error.message)
      return 0
    }
  }

  /** Reads to the end of the file; true where a seal ended it. */
  private async lines(segment: Segment, from: number): Promise<boolean> {
    const size = segment.size()
    const fileSize = segment.fileSize()
    let end = from
    let isSealed = false
    for await (const run of segment.lines(from, size)) {
      for (const { line, offset } of run) {
        end = offset + line.length + 1
        if (isSealed) this.voidBytes += line.length + 1
        else isSealed = ENDS.includes(this.line(segment, line, offset))
      }
      this.progress?.(this.bytesDone + Math.min(end, fileSize), this.total)
    }
    // Of a file that was scavenged only the lines that count are kept.
    if (end < size && !segment.isScavenged) this.voidBytes += size - end
    this.bytesDone += fileSize
    return isSealed
  }

  private line(file: Segment, line: Buffer, offset: number): string {
    const segment = file.number
    const meaning = readLine(line, offset, this.at)
    switch (meaning.kind) {
      case 'commit':
        this.take(meaning.events, file, offset)
        break
      case 'damage':
        this.damage(
          `Something is missing or was changed before byte ${offset} of file ${segmentName(segment)}`,
        )
        this.at = { count: meaning.position, hash: this.at.hash }
        this.take(meaning.events, file, offset)
        this.at = { count: this.at.count, hash: meaning.hash }
        break
      case 'void':
        if (line[0] !== 0x23 || offset > 0) this.voidBytes += line.length + 1
        break
      case 'seal':
      case 'moved':
        break
      default:
        meaning satisfies never
    }
    return meaning.kind
  }

  private take(events: readonly LineEvent[], file: Segment, lineOffset: number): void {
    const segment = file.number
    for (const { json, hash, start, isScavenged } of events) {
      if (isScavenged) this.scavenged++
      const position = this.at.count
      const event = parseStoredEvent({ position, hash, json })
      this.countVersion(event)
      this.index?.check(
        position,
        {
          segment,
          offset: lineOffset + start,
          length: json.length,
          lineOffset,
          createdAtMs: Date.parse(event.createdAt),
          hash,
          stream: event.stream,
          eventType: event.eventType,
          eventId: event.eventId,
          isOwned: event.producer !== undefined,
        },
        file.isScavenged,
      )
      this.at = { count: position + 1, hash }
    }
  }

  /**
   * An index that had lost a stream may have begun it anew. Where events are missing, the versions of those
   * behind them say nothing.
   */
  private countVersion({ stream, version }: ParsedEvent): void {
    const known = this.versions.get(stream)
    if (this.isDamaged || (known === undefined && this.versions.size >= MOST_STREAMS)) return
    const expected = known ?? 0
    this.versions.set(stream, expected + 1)
    if (version === undefined || version === expected) return
    this.damage(`The event has version ${version}, but its stream has ${expected} before it`)
  }

  private damage(message: string): void {
    this.isDamaged = true
    this.findings.push({ kind: 'damage', message, position: this.at.count })
  }

  private strayFiles(next: number): void {
    for (const name of this.names) {
      const isKnown = name === 'suspect' || (isLogFile(name) && name < segmentName(next))
      if (!isKnown) {
        const message = `The log folder holds ${JSON.stringify(name)}, which is no part of it`
        this.findings.push({ kind: 'notice', message })
      }
    }
  }
}

function isLogFile(name: string): boolean {
  return /^[0-9]{8}\.log$/.test(name)
}

function logBytes({ disk, layout }: LogOptions, names: readonly string[]): number {
  const sizes = names
    .filter(isLogFile)
    .map((name) => disk.status(join(layout.segments, name))?.size ?? 0)
  return sizes.reduce((sum, size) => sum + size, 0)
}
