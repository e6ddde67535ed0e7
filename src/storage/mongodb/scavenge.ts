/**
 * Takes bodies out of the documents of events.
 *
 * 1. Commits that still carry the events that are visible lose them: a body must not stay there. 2. Run by
 * run, each document is replaced by what is left of it, if it is still whole. A crash leaves some bodies
 * removed; nothing waits meanwhile.
 */
import type { DropRule, Progress, ScavengeReport } from '../../domain/ports.ts'
import { type Removal, type Remove, scavengeRuns } from '../database/scavenge.ts'
import type { Connection } from './connection.ts'
import { toAppError } from './errors.ts'
import type { LogReads } from './log-reads.ts'
import type { Visible } from './visible.ts'

export async function scavengeLog(
  { collections: { events } }: Connection,
  visible: Visible,
  reads: LogReads,
  { drop, progress }: { readonly drop: DropRule; readonly progress: Progress },
): Promise<ScavengeReport> {
  const removeOne = async ({ position, text, check }: Removal): Promise<readonly number[]> => {
    const { modifiedCount } = await events.updateOne(
      { _id: position, scavenged: { $exists: false } },
      { $set: { json: Buffer.from(text), scavenged: check } },
    )
    return modifiedCount > 0 ? [position] : []
  }
  const remove: Remove = async (removals) =>
    (await Promise.all(removals.map(removeOne)).catch(refuse)).flat()
  const { count } = await reads.head()
  await visible.slimAll().catch(refuse)
  return scavengeRuns(reads.runs(0, count, 'forwards'), count, { drop, remove, progress })
}

function refuse(error: unknown): never {
  throw toAppError(error)
}
