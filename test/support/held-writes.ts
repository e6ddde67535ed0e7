/** A disk whose lists of writes wait until a test has them made, or fail. */
import { asyncDisk, type Disk } from '../../src/storage/file/disk.ts'
import type { WriteList } from '../../src/storage/file/write-list.ts'

type Writes = { readonly make: () => Promise<void>; readonly fail: (error: Error) => void }

/** Holds each list of writes until it is made, or failed; `next` is the one that waits. */
export function heldDisk() {
  const waiting: Writes[] = []
  let isHeld = true
  const made = (list: WriteList) => asyncDisk.writeAll?.(list) ?? Promise.reject(new Error('none'))
  const disk: Disk = {
    ...asyncDisk,
    writeAll: (list) => {
      if (!isHeld) return made(list)
      return new Promise((resolve, reject) => {
        waiting.push({ make: () => made(list).then(resolve, reject), fail: reject })
      })
    },
  }
  const next = async (): Promise<Writes> => {
    for (;;) {
      const writes = waiting.shift()
      if (writes) return writes
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { disk, next, letGo: () => (isHeld = false) }
}
