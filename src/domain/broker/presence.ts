/**
 * Which runs of processors live: a record each, from before the first call of a run until after its last. A run
 * without a record has ended in order; one whose record is left behind was killed, which can be told on the
 * machine where it ran.
 */
import { AppError } from '../app-error.ts'
import type { RecordEngine } from '../ports.ts'
import type { Presence } from './processor-ports.ts'

/** A process, so that others can tell whether it has ended. */
export type ProcessMark = {
  /** Machine, its start, and its space of process numbers; empty where that cannot be told. */
  readonly host: string
  readonly pid: number
  /** Tells two processes of the same number apart. */
  readonly started: string
}

export type HostProcesses = {
  readonly own: ProcessMark
  /** True where a process of this host has certainly ended. */
  isGone(mark: ProcessMark): boolean
}

const COLLECTION = 'broker-run'

export function createPresence(
  records: RecordEngine,
  processes: HostProcesses,
  run: string,
): Presence {
  let revision: number | undefined
  return {
    async announce() {
      // An announcement that seemed to fail may have been stored; nobody else writes under this name.
      revision ??= (await records.read(COLLECTION, run))?.revision
      revision ??= (await records.write(COLLECTION, run, processes.own, 'absent')).revision
    },
    async withdraw() {
      if (revision === undefined) return
      const known = revision
      revision = undefined
      await removeRecord(records, run, known)
    },
    async stateOf(other) {
      if (other === run) return 'alive'
      const record = await records.read(COLLECTION, other)
      if (!record) return 'gone'
      const mark = record.value as ProcessMark
      if (mark.host === '' || mark.host !== processes.own.host) return 'unknown'
      if (!processes.isGone(mark)) return 'alive'
      await removeRecord(records, other, record.revision)
      return 'gone'
    },
  }
}

async function removeRecord(records: RecordEngine, run: string, revision: number): Promise<void> {
  try {
    await records.remove(COLLECTION, run, revision)
  } catch (error) {
    // Somebody else has removed it.
    if (!(error instanceof AppError && error.code === 'record-conflict')) throw error
  }
}
