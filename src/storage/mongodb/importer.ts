/** Stores the groups of an import, each as one commit. */
import { refusedImport } from '../../domain/linked-event.ts'
import type { ImportCount, LinkedEvent, Progress, StreamState } from '../../domain/ports.ts'
import {
  importGroups,
  notWritten,
  planGroup,
  questionOfGroup,
  type Taken,
} from '../database/import-groups.ts'
import { LogState } from '../database/log-state.ts'
import { Committer, DOCUMENT_BYTES, EVENT_ROOM } from './committer.ts'
import type { Connection } from './connection.ts'
import { pointOf, toCommit } from './documents.ts'
import type { LogReads } from './log-reads.ts'
import { readInto } from './log-state.ts'
import { lastCommit, type Visible } from './visible.ts'

export class Importer {
  private readonly connection: Connection
  private readonly visible: Visible
  private readonly reads: LogReads

  constructor(connection: Connection, visible: Visible, reads: LogReads) {
    this.connection = connection
    this.visible = visible
    this.reads = reads
  }

  /** @throws AppError `import-refused` */
  async take(events: AsyncIterable<LinkedEvent>, progress: Progress): Promise<ImportCount> {
    const { count: there } = await this.reads.head()
    const runs = this.reads.runs(0, there, 'forwards')
    const write = (group: readonly Taken[]) => this.writeGroup(group)
    return importGroups(events, { there, runs, check: refuseLarge, write }, progress)
  }

  private async writeGroup(group: readonly Taken[]): Promise<void> {
    const state = await this.readState(group)
    const { rows, point } = planGroup(state, group)
    const commit = toCommit(state.point, point, rows, ownersBehind(state, group))
    if (!(await new Committer(this.connection, this.visible).put(commit))) throw notWritten(group)
  }

  private readState(group: readonly Taken[]): Promise<LogState> {
    return this.connection.read(async (collections) => {
      const state = new LogState(pointOf(await lastCommit(collections)))
      await this.visible.reach(state.point.count)
      await readInto(state, collections, questionOfGroup(group))
      return state
    })
  }
}

function refuseLarge({ json }: LinkedEvent, position: number): void {
  if (json.length + EVENT_ROOM <= DOCUMENT_BYTES) return
  throw refusedImport(position, 'is too large for a document of MongoDB')
}

/** To whom the streams of a group belong once it is stored. */
function ownersBehind(state: LogState, group: readonly Taken[]): ReadonlyMap<string, StreamState> {
  const streams = new Map(state.streams)
  for (const { event } of group) {
    const owner = streams.get(event.stream)?.owner ?? event.producer
    streams.set(event.stream, { ...(owner && { owner }), isDeleted: false })
  }
  return streams
}
