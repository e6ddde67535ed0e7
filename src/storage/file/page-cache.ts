/**
 * Reads of a file through pages that stay in memory, a bounded number of them.
 *
 * Only for files whose bytes are written once, in an order that all writers share: what another process has
 * put into a page since it was read is then what this process will put there itself before it asks for it.
 */
import { BoundedMap } from '../../kit/bounded-map.ts'
import type { Disk, Fd } from './disk.ts'

export const PAGE_BYTES = 4096
const MOST_PAGES = 4096

export class PageCache {
  private readonly disk: Disk
  private readonly fd: Fd
  private readonly pages = new BoundedMap<number, Buffer>(MOST_PAGES)

  constructor(disk: Disk, fd: Fd) {
    this.disk = disk
    this.fd = fd
  }

  /** The page that the byte at `offset` is in, zeros behind the end of the file. */
  page(offset: number): Buffer {
    const number = Math.floor(offset / PAGE_BYTES)
    return this.pages.get(number) ?? this.read(number)
  }

  /** Writes bytes that lie in one page. */
  write(bytes: Uint8Array, offset: number): void {
    this.disk.writeAt(this.fd, bytes, offset)
    this.page(offset).set(bytes, offset % PAGE_BYTES)
  }

  private read(number: number): Buffer {
    const page = Buffer.alloc(PAGE_BYTES)
    this.disk.readAt(this.fd, page, number * PAGE_BYTES)
    this.pages.set(number, page)
    return page
  }
}
