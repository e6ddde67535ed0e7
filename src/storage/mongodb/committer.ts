/**
 * Stores a commit, or finds that somebody else was first.
 *
 * The commit is stored by its one insertion, and the events are written behind it. Its `_id`, the position of its
 * first event, can be taken once: that is the compare in compare and append. No transaction is used, also where there
 * are some: one that a killed writer leaves open would hold up every append until the server ends it.
 */
import { BSON } from 'mongodb'
import { AppError } from '../../domain/app-error.ts'
import type { Connection } from './connection.ts'
import type { CommitDocument } from './documents.ts'
import { isDuplicate, isLost, isNeverSent, outcomeUnknown, toAppError } from './errors.ts'
import type { Visible } from './visible.ts'

/** The server refuses larger documents. */
export const DOCUMENT_BYTES = 16 << 20
/** More than the other members of an event ever take. */
export const EVENT_ROOM = 4096
/** Times that a commit is sent whose answer got lost. */
const MOST_TRIES = 4

/** @throws AppError `body-too-large` where a commit does not fit into a document */
function refuseLarge(commit: CommitDocument): void {
  let bytes = 0
  for (const { json } of commit.events ?? []) bytes += json.length + EVENT_ROOM
  if (bytes <= DOCUMENT_BYTES) return
  const exact = BSON.calculateObjectSize(commit)
  if (exact <= DOCUMENT_BYTES) return
  throw new AppError('body-too-large', 'A batch must fit into one document of MongoDB', {
    bytes: exact,
    limit: DOCUMENT_BYTES,
  })
}

export class Committer {
  private readonly connection: Connection
  private readonly visible: Visible

  constructor(connection: Connection, visible: Visible) {
    this.connection = connection
    this.visible = visible
  }

  /**
   * True once the events are durable and every reader sees them; false: nothing was stored.
   * @param commit begins where the log ends, and all before it is visible
   * @throws AppError `outcome-unknown`, `body-too-large`, `storage-…`
   */
  async put(commit: CommitDocument): Promise<boolean> {
    refuseLarge(commit)
    if (!(await this.insert(commit))) return false
    try {
      await this.visible.write(commit)
      await this.visible.reach(commit.end)
      return true
    } catch (error) {
      // It is stored, but not yet seen by all.
      throw outcomeUnknown(error)
    }
  }

  private async insert(commit: CommitDocument): Promise<boolean> {
    const { commits } = this.connection.collections
    for (let tries = 1; ; tries++) {
      try {
        await commits.insertOne(commit)
        return true
      } catch (error) {
        if (isDuplicate(error)) return tries > 1 && (await this.isOurs(commit))
        if (!isLost(error) || (tries === 1 && isNeverSent(error))) throw toAppError(error)
        // Sent again, it takes the place, or finds itself or somebody else there.
        if (tries === MOST_TRIES) throw outcomeUnknown(error)
      }
    }
  }

  /** Whether what stands there is what was sent. @throws AppError `outcome-unknown` where nothing does */
  private async isOurs({ _id, token }: CommitDocument): Promise<boolean> {
    const { commits } = this.connection.collections
    try {
      const found = await commits.findOne({ _id }, { projection: { token: 1 } })
      if (found) return found.token === token
    } catch (error) {
      throw outcomeUnknown(error)
    }
    throw outcomeUnknown(new Error('The place of the commit is still empty'))
  }
}
