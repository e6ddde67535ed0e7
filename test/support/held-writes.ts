/** A disk on which what is written of an index waits until a test has it written, or fail. */
import { asyncDisk, type Disk } from '../../src/storage/file/disk.ts'
import type { IndexJob, KeyPlaces } from '../../src/storage/file/index-job.ts'

type Writes = { readonly make: () => Promise<void>; readonly fail: (error: Error) => void }

/** Holds each part of an index until it is written, or has failed; `next` is the one that waits. */
export function heldDisk() {
  const waiting: Writes[] = []
  let isHeld = true
  const written = (job: IndexJob) =>
    asyncDisk.writeIndex?.(job) ?? Promise.reject(new Error('none'))
  const disk: Disk = {
    ...asyncDisk,
    writeIndex: (job) => {
      if (!isHeld) return written(job)
      return new Promise<KeyPlaces | undefined>((resolve, reject) => {
        waiting.push({ make: () => written(job).then(resolve, reject), fail: reject })
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
