/** Opens stores on flat files; a test says only what matters to it. */
import { syncDisk } from '../../src/storage/file/disk.ts'
import {
  type FileStore,
  type FileStoreOptions,
  openFileStore,
} from '../../src/storage/file/engine.ts'

/** The store in a data folder, which is made where it is missing. */
export async function openTestStore(
  root: string,
  given: Partial<FileStoreOptions> = {},
): Promise<FileStore> {
  const store = await openFileStore({
    disk: syncDisk,
    create: true,
    allowUnsafe: false,
    clock: { now: Date.now },
    segmentBytes: 1 << 20,
    lockTimeoutMs: 20_000,
    sync: true,
    catchUpMs: 20_000,
    ...given,
    root,
  })
  if (!store) throw new Error('The store was not made')
  return store
}
