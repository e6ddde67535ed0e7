/** Entries of an index kept in memory, a bounded number of them; of those that share a place, the latest. */
import type { Entry } from './entry.ts'

const PLACES = 16_384

export class KeptEntries {
  private readonly positions = new Float64Array(PLACES).fill(-1)
  private readonly entries = new Array<Entry | undefined>(PLACES)

  get(position: number): Entry | undefined {
    const place = position % PLACES
    return this.positions[place] === position ? this.entries[place] : undefined
  }

  set(position: number, entry: Entry): void {
    const place = position % PLACES
    this.positions[place] = position
    this.entries[place] = entry
  }
}
