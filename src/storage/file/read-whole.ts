import type { Disk } from './disk.ts'

/** All bytes of a small file; `undefined` where there is none. A symbolic link is refused, not followed. */
export function readWhole(disk: Disk, path: string): Buffer | undefined {
  const fd = disk.openRead(path)
  if (fd === undefined) return undefined
  try {
    const bytes = Buffer.alloc(disk.size(fd))
    return bytes.subarray(0, disk.readAt(fd, bytes, 0))
  } finally {
    disk.close(fd)
  }
}
