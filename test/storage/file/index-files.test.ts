import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { IndexFiles } from '../../../src/storage/file/index-files.ts'
import { scratchFolders } from '../../support/data-folder.ts'

const newFolder = scratchFolders()

test('an index that is removed while it is opened is one that is not there', () => {
  const folder = join(newFolder(), '0123456789abcdef')
  IndexFiles.make(syncDisk, folder).close()
  const disk: Disk = {
    ...syncDisk,
    openUpdate: (path) => {
      fs.rmSync(folder, { recursive: true, force: true })
      return syncDisk.openUpdate(path)
    },
  }
  expect(IndexFiles.open(disk, folder, 'update')).toBeUndefined()
})
