/** Entries of an index kept in memory, a bounded number of them; of those that share a place, the latest. */
import type { Entry } from './entry.ts'
import { SparsePlaces } from './sparse-places.ts'

const PLACES = 16_384

export class KeptEntries {
  /** Behind the position whose entry a place holds; 0: it holds none. */
  private readonly ends = new Float64Array(PLACES)
  private readonly entries = new SparsePlaces<Entry>(PLACES)

  get(position: number): Entry | undefined {
    const place = position % PLACES
    return this.ends[place] === position + 1 ? this.entries.get(place) : undefined
  }

  set(position: number, entry: Entry): void {
    const place = position % PLACES
    this.ends[place] = position + 1
    this.entries.set(place, entry)
  }
}
