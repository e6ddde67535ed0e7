/**
 * Puts the events of commits where readers look, and tells how far that is done.
 *
 * A commit is there before its events have documents of their own.
 * Whoever notices writes them: the commit says exactly what they are, so that any number of processes may do
 * it at once, and a killed one is of no matter. They are written in the order of positions, each only once
 * all before it are there; so the documents are the beginning of the log at any time, and the last of them
 * tells whether its commit is whole. Readers see whole commits only, and all that was there when they asked.
 */
import type { Collection } from 'mongodb'
import { AppError } from '../../domain/app-error.ts'
import type { Collections, Connection } from './connection.ts'
import type { CommitDocument, EventDocument } from './documents.ts'
import { duplicateAt } from './errors.ts'
import { BETWEEN_LOOKS_MS, MOST_LOOKS } from './looks.ts'

/** Commits after which those before are relieved of their events. */
const SLIM_AFTER = 256
/** Times that others may be ahead of us with the same commit. */
const MOST_TURNS = 1000

/** Asks for events, below a position where one is given. */
export type Query<T> = (events: Collection<EventDocument>, below?: number) => Promise<T>

export class Visible {
  private readonly connection: Connection
  /** So many events are known to be visible; commits end there. */
  private limit = 0
  private commits = 0

  constructor(connection: Connection) {
    this.connection = connection
  }

  /** The answer to a query, exact for all that was committed before it. @param highest position in it, or -1 */
  read<T>(query: Query<T>, highest: (found: T) => number): Promise<T> {
    return this.connection.read(async (collections) => {
      const [found, last] = await Promise.all([query(collections.events), lastCommit(collections)])
      const end = last?.end ?? 0
      if (end <= this.limit && highest(found) < this.limit) return found
      await this.reach(end)
      return await query(collections.events, this.limit)
    })
  }

  /** Makes all events below `end` visible; errors are those of the driver. */
  async reach(end: number): Promise<void> {
    const { collections } = this.connection
    for (let turn = 0, looks = 0; this.limit < end; turn++) {
      this.limit = Math.max(this.limit, await visibleCount(collections))
      if (this.limit >= end) return
      const commit = await collections.commits.findOne({ _id: this.limit })
      if (commit?.events && turn < MOST_TURNS) await this.write(commit)
      else if ((await visibleCount(collections)) <= this.limit) {
        if (++looks > MOST_LOOKS) throw missing(this.limit)
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS))
      }
    }
  }

  /** Writes the events of a commit, all before which are visible. */
  async write({ end, events = [] }: CommitDocument): Promise<void> {
    const { collections } = this.connection
    for (let at = 0; at < events.length; ) {
      try {
        await collections.events.insertMany(events.slice(at))
        this.limit = Math.max(this.limit, end)
        await this.slim()
        return
      } catch (error) {
        const known = duplicateAt(error)
        if (known === undefined) throw error
        // Somebody else writes them, too; what is there need not be tried one by one.
        const [first, count] = [events[0]?._id ?? 0, await documentCount(collections)]
        at = Math.max(at + known + 1, count - first)
      }
    }
    this.limit = Math.max(this.limit, await visibleCount(collections))
  }

  /** Now and then, takes the events out of commits that need them no more: they would lie there twice. */
  private async slim(): Promise<void> {
    if (++this.commits % SLIM_AFTER === 0) await this.slimAll()
  }

  /** Afterwards the events of all commits that are known to be visible stand in one place only. */
  async slimAll(): Promise<void> {
    const { commits, counters } = this.connection.collections
    const from = (await counters.findOne({ _id: 'slim' }))?.number ?? 0
    const filter = { _id: { $gte: from, $lt: this.limit } }
    await commits.updateMany(filter, { $unset: { events: '' } })
    await counters.updateOne({ _id: 'slim' }, { $max: { number: this.limit } }, { upsert: true })
  }
}

const missing = (position: number): AppError =>
  new AppError('log-damaged', 'Events of the log are missing in the database', { position })

/** The last one, without its events. */
export async function lastCommit({ commits }: Collections): Promise<CommitDocument | undefined> {
  const options = { sort: { _id: -1 }, projection: { events: 0 } } as const
  return (await commits.findOne({}, options)) ?? undefined
}

async function lastEvent({ events }: Collections) {
  return events.findOne({}, { sort: { _id: -1 }, projection: { commit: 1, end: 1 } })
}

async function documentCount(collections: Collections): Promise<number> {
  return ((await lastEvent(collections))?._id ?? -1) + 1
}

/** Events of whole commits. */
async function visibleCount(collections: Collections): Promise<number> {
  const last = await lastEvent(collections)
  if (!last) return 0
  return last._id + 1 === last.end ? last.end : last.commit
}
