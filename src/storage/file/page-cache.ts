/**
 * Reads of a file through pages that stay in memory, a bounded number of them.
 *
 * Only for files whose bytes are written once, in an order that all writers share: what another process has
 * put into a page since it was read is then what this process will put there itself before it asks for it.
 *
 * Each page has one place that it can be kept in, and memory once taken for a place is used again: keys are
 * spread all over a file, so that no page is asked for more than another.
 */
import type { Fd } from './disk.ts'
import type { IndexWrites } from './index-writes.ts'
import { SparsePlaces } from './sparse-places.ts'

export const PAGE_BYTES = 4096
/** As many as the tables of a million events have. */
const PLACES = 8192

type Place = { number: number; readonly bytes: Buffer; readonly view: DataView }

export class PageCache {
  private readonly disk: IndexWrites
  private readonly fd: Fd
  private places = new SparsePlaces<Place>(PLACES)

  constructor(disk: IndexWrites, fd: Fd) {
    this.disk = disk
    this.fd = fd
  }

  /**
   * The page that the byte at `offset` is in, zeros behind the end of the file; valid until the next one is
   * asked for.
   */
  page(offset: number): DataView {
    const number = Math.floor(offset / PAGE_BYTES)
    const place = this.places.get(number % PLACES)
    return (place?.number === number ? place : this.read(number)).view
  }

  /** Writes bytes that lie in one page. */
  write(bytes: Uint8Array, offset: number): void {
    this.disk.writeAt(this.fd, bytes, offset)
    const number = Math.floor(offset / PAGE_BYTES)
    const place = this.places.get(number % PLACES)
    const page = place?.number === number ? place : this.read(number)
    page.bytes.set(bytes, offset % PAGE_BYTES)
  }

  /** Reads all anew: of what was written, something may not have come to the file. */
  forget(): void {
    this.places = new SparsePlaces<Place>(PLACES)
  }

  private read(number: number): Place {
    const place = this.places.get(number % PLACES) ?? newPlace()
    this.places.set(number % PLACES, place)
    // Whatever is thrown leaves a place that holds no page.
    place.number = -1
    place.bytes.fill(0, this.disk.readAt(this.fd, place.bytes, number * PAGE_BYTES))
    place.number = number
    return place
  }
}

/** Numbers in a page are read again and again: a `DataView` does that without a call. */
function newPlace(): Place {
  const bytes = Buffer.alloc(PAGE_BYTES)
  return { number: -1, bytes, view: new DataView(bytes.buffer, bytes.byteOffset, PAGE_BYTES) }
}
