/** What a log on flat files is opened with. */
import type { Clock } from '../../domain/ports.ts'
import type { IndexOptions } from './index-keeper.ts'

export type LogOptions = IndexOptions & {
  readonly clock: Clock
  readonly segmentBytes: number
  readonly lockTimeoutMs: number
  /** False: nothing is synced, a loss of power loses acknowledged events. */
  readonly sync: boolean
  /** Longest time in ms that one call may spend on an index that is behind. */
  readonly catchUpMs: number
  /** Events from which on a thread writes the index of a server; a constant unless a test says so. */
  readonly besideEvents?: number
  /** What it is called where it is damaged, if it is not the log of the events. */
  readonly name?: string
}
