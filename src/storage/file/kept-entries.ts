/**
 * Entries of an index kept in memory, a bounded number of them; of those that share a place, the latest. They
 * stand in a few large buffers: one buffer an entry costs more than all that is in it.
 */
import { ENTRY_BYTES, Entry, type Lane, laneIn, laneOffset } from './entry.ts'

const PLACES = 16_384
/** Places whose memory is taken at once, when the first of them is used. */
const BLOCK = 128

export class KeptEntries {
  /** Behind the position whose entry a place holds; 0: it holds none. Made when the first comes: most logs are read once. */
  private ends: Float64Array | undefined
  private readonly blocks: (Buffer | undefined)[] = new Array(PLACES / BLOCK)

  /** A copy: the place may soon hold another. */
  get(position: number): Entry | undefined {
    const block = this.block(position)
    if (!block) return undefined
    const at = (position % BLOCK) * ENTRY_BYTES
    return new Entry(Buffer.from(block.subarray(at, at + ENTRY_BYTES)))
  }

  has(position: number): boolean {
    return this.ends?.[position % PLACES] === position + 1
  }

  /** One lane of an entry; `undefined` also where the entry is not kept. */
  lane(position: number, lane: number): Lane | undefined {
    const block = this.block(position)
    return block && laneIn(block, (position % BLOCK) * ENTRY_BYTES + laneOffset(lane))
  }

  /** Takes in entries that stand in a row from position `first` on. */
  set(first: number, entries: Buffer): void {
    const ends = this.ends ?? new Float64Array(PLACES)
    this.ends = ends
    let position = first
    for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
      const number = Math.floor((position % PLACES) / BLOCK)
      let block = this.blocks[number]
      if (!block) {
        block = Buffer.allocUnsafeSlow(BLOCK * ENTRY_BYTES)
        this.blocks[number] = block
      }
      entries.copy(block, (position % BLOCK) * ENTRY_BYTES, at, at + ENTRY_BYTES)
      ends[position % PLACES] = position + 1
      position++
    }
  }

  private block(position: number): Buffer | undefined {
    return this.has(position) ? this.blocks[Math.floor((position % PLACES) / BLOCK)] : undefined
  }
}
