/**
 * Walks the log of a database and has the engine take the bodies that are to go, run by run. Each run is a
 * change of its own: whoever dies in between has removed some bodies and harmed none. How they are taken
 * is the engine's own.
 */
import {
  parseStoredEvent,
  type StoredEvent,
  scavengedCheck,
  scavengedText,
} from '../../domain/event.ts'
import type { DropRule, Progress, ScavengeReport } from '../../domain/ports.ts'

/** What stays of an event, and the check that tells whether it was changed since. */
export type Removal = {
  readonly position: number
  readonly text: string
  readonly check: string
}

/** Stores removals, all of them events that are whole or were scavenged before; tells which were still whole. */
export type Remove = (removals: readonly Removal[]) => Promise<readonly number[]>

/**
 * @param runs the log as it is now, from its beginning; proven, for a removal would declare as right what is not
 * @param count of the events in them
 * @throws AppError what `runs` throws: an event that does not chain and those behind it are left as they are
 */
export async function scavengeRuns(
  runs: AsyncIterable<readonly StoredEvent[]>,
  count: number,
  { drop, remove, progress }: { drop: DropRule; remove: Remove; progress: Progress },
): Promise<ScavengeReport> {
  const report = { events: 0, removed: 0, bytesFreed: 0 }
  for await (const run of runs) {
    const due = new Map<number, Removal & { readonly bytesFreed: number }>()
    for (const event of run) {
      if (event.isScavenged) continue
      report.events++
      if (await drop(parseStoredEvent(event), event.position))
        due.set(event.position, toRemoval(event))
    }
    const removed = due.size === 0 ? [] : await remove([...due.values()])
    report.removed += removed.length
    for (const position of removed) report.bytesFreed += due.get(position)?.bytesFreed ?? 0
    progress((run.at(-1)?.position ?? 0) + 1, count)
  }
  return report
}

function toRemoval(event: StoredEvent) {
  const text = scavengedText(event)
  return {
    position: event.position,
    text,
    check: scavengedCheck(event.hash, text),
    bytesFreed: event.json.length - Buffer.byteLength(text),
  }
}
