/** `apie scavenge`: removes for good what readers of streams cannot see any more. */
import { scavenge } from '../domain/scavenge.ts'
import { noteScavenge } from '../domain/scavenge-runs.ts'
import { type CommandCall, EXIT } from './command.ts'
import { counted } from './counted.ts'
import { withProgress } from './progress.ts'

export async function runScavenge(call: CommandCall): Promise<number> {
  const store = await call.services.openStore('existing')
  try {
    const clock = { now: () => Date.now() }
    const startedAtMs = clock.now()
    const { count } = await store.log.head()
    const { events, removed, bytesFreed } = await withProgress(
      call.terminal,
      'scavenge',
      (progress) => scavenge(store.log, clock, progress),
    )
    const reclaimedBytes = Math.max(0, bytesFreed)
    await call.terminal.out(
      call.options['json']
        ? `${JSON.stringify({ events, removed, bytesFreed: reclaimedBytes })}\n`
        : `removed the bodies of ${removed} of ${counted(events, 'events')}, ${freedText(bytesFreed)}${beforeText(count - events)}\n`,
    )
    await noteScavenge(store.records, clock, { startedAtMs, reclaimedBytes }).catch(
      ({ message }: Error) =>
        call.terminal.err(
          `The scavenge is done; as the last one it could not be noted: ${message}\n`,
        ),
    )
    return EXIT.ok
  } finally {
    await store.close()
  }
}

/** Those of earlier runs are not among the events that this one has looked at. */
function beforeText(events: number): string {
  return events > 0 ? `; ${counted(events, 'events')} had been scavenged before` : ''
}

/** What is left of a batch stands in a line for each event, which can take more than the bodies did. */
function freedText(bytes: number): string {
  return bytes < 0 ? `the log is ${-bytes} bytes larger` : `${bytes} bytes freed`
}
