/**
 * What must hold of a log whatever was done to its writers. A writer is told of an append one of three
 * things: stored, refused, or unknown. Stored: there once, as told. Refused: not there. Unknown: there once
 * or not at all.
 */
import { parseStoredEvent } from '../../src/domain/event.ts'
import type { LogEngine } from '../../src/domain/ports.ts'
import { appendTo, draft } from '../support/drafts.ts'
import { most } from './crash-run.ts'

export type Told = { readonly id: string; readonly position: number; readonly hash: string }

export type History = {
  readonly stored: Told[]
  readonly refused: Set<string>
  /** Ids that may be in the log at all; left out where every id is possible. */
  readonly isKnown?: (id: string) => boolean
}

type Placed = { version: number; position: number; eventId: string; stream: string }

/**
 * Reads and verifies the whole log, then appends to it.
 * @returns what is wrong, in words; nothing where all is well
 */
export async function findViolations(
  { log }: { readonly log: LogEngine },
  { stored, refused, isKnown }: History,
): Promise<string[]> {
  const found: string[] = []
  const hashes: string[] = []
  const ids: string[] = []
  const seen = new Set<string>()
  const versions = new Map<string, number>()
  for await (const run of log.readLog(0, Number.MAX_SAFE_INTEGER, 'forwards')) {
    for (const event of run) {
      const { eventId, stream, version, position } = parseStoredEvent(event) as unknown as Placed
      if (event.position !== hashes.length) found.push(`gap at ${event.position}`)
      if (position !== event.position) found.push(`wrong position at ${event.position}`)
      if (seen.has(`${stream} ${eventId}`)) found.push(`twice in the log: ${eventId}`)
      if (refused.has(eventId)) found.push(`refused, but stored: ${eventId}`)
      if (isKnown && !isKnown(eventId)) found.push(`never sent: ${eventId}`)
      const expected = (versions.get(stream) ?? -1) + 1
      if (version !== expected) found.push(`${stream} has version ${version} for ${expected}`)
      versions.set(stream, expected)
      seen.add(`${stream} ${eventId}`)
      hashes.push(event.hash)
      ids.push(eventId)
    }
  }
  for (const { id, position, hash } of stored) {
    const isThere = ids[position] === id && hashes[position] === hash
    if (!isThere) found.push(`acknowledged at ${position}, but not there: ${id}`)
  }
  const report = await log.verify()
  for (const { message } of report.findings) found.push(message)
  const started = performance.now()
  await log.append(appendTo('oracle', [draft(Math.floor(Math.random() * 2 ** 40))]))
  most('slowest next append, ms', Math.round(performance.now() - started))
  return found.slice(0, 20)
}
