/**
 * Reads of a file through pages that stay in memory, a bounded number of them.
 *
 * Only for files whose bytes are written once, in an order that all writers share: what another process has
 * put into a page since it was read is then what this process will put there itself before it asks for it.
 *
 * Each page has one place that it can be kept in, and memory once taken for a place is used again: keys are
 * spread all over a file, so that no page is asked for more than another.
 */
import type { Disk, Fd } from './disk.ts'
import { SparsePlaces } from './sparse-places.ts'

export const PAGE_BYTES = 4096
/** As many as the tables of a million events have. */
const PLACES = 8192

/** What a slot of a hash table holds: a mark, and the position within the table + 1. */
export type Slot = { readonly mark: number; readonly own: number }

type Page = { number: number; readonly bytes: Buffer; readonly view: DataView }

export class PageCache {
  private readonly disk: Disk
  private readonly fd: Fd
  private readonly slot = Buffer.alloc(8)
  private places = new SparsePlaces<Page>(PLACES)

  constructor(disk: Disk, fd: Fd) {
    this.disk = disk
    this.fd = fd
  }

  /**
   * The page that the byte at `offset` is in, zeros behind the end of the file; valid until the next one is
   * asked for.
   */
  page(offset: number): DataView {
    return this.pageOf(Math.floor(offset / PAGE_BYTES)).view
  }

  /** Writes a slot: two numbers of 32 bits. */
  put(slot: Slot, offset: number): void {
    this.slot.writeUInt32LE(slot.mark, 0)
    this.slot.writeUInt32LE(slot.own, 4)
    this.disk.writeAt(this.fd, this.slot, offset)
    this.note(slot, offset)
  }

  /** Takes in a slot that stands at `offset` by now. */
  note({ mark, own }: Slot, offset: number): void {
    const number = Math.floor(offset / PAGE_BYTES)
    const page = this.places.get(number % PLACES)
    if (page?.number !== number) return
    page.view.setUint32(offset % PAGE_BYTES, mark, true)
    page.view.setUint32((offset % PAGE_BYTES) + 4, own, true)
  }

  /** Reads all anew: of what was written, something may not have come to the file. */
  forget(): void {
    this.places = new SparsePlaces<Page>(PLACES)
  }

  private pageOf(number: number): Page {
    const page = this.places.get(number % PLACES)
    return page?.number === number ? page : this.load(number)
  }

  private load(number: number): Page {
    const page = this.places.get(number % PLACES) ?? newPage()
    this.places.set(number % PLACES, page)
    // Whatever is thrown leaves a place that holds no page.
    page.number = -1
    page.bytes.fill(0, this.disk.readAt(this.fd, page.bytes, number * PAGE_BYTES))
    page.number = number
    return page
  }
}

/** Numbers in a page are read again and again: a `DataView` does that without a call. */
function newPage(): Page {
  const bytes = Buffer.alloc(PAGE_BYTES)
  return { number: -1, bytes, view: new DataView(bytes.buffer, bytes.byteOffset, PAGE_BYTES) }
}
