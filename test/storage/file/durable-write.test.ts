import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import { asyncDisk, syncDisk } from '../../../src/storage/file/disk.ts'
import { publishNew, replaceFile } from '../../../src/storage/file/durable-write.ts'
import { modeOf, scratchFolders, tree } from '../../support/data-folder.ts'
import { changingCalls, faultyDisk } from '../../support/fault-disk.ts'

const newFolder = scratchFolders()

/** A folder with a place for temporary files and the file `a` that says `old`. */
function prepare(): { root: string; temporary: string; path: string } {
  const root = newFolder()
  const temporary = join(root, 'tmp')
  fs.mkdirSync(temporary)
  fs.writeFileSync(join(root, 'a'), 'old')
  return { root, temporary, path: join(root, 'a') }
}

describe.each([
  ['synchronous', syncDisk],
  ['asynchronous', asyncDisk],
])('durable files with %s calls', (_, disk) => {
  it('replaces a file whole and leaves nothing else', async () => {
    const { root, temporary, path } = prepare()
    await replaceFile(disk, temporary, path, Buffer.from('new'))
    expect(fs.readFileSync(path, 'utf8')).toBe('new')
    expect(modeOf(path)).toBe('600')
    expect(tree(root)).toEqual(['a', 'tmp/'])
  })

  it('publishes a file once: the second one loses and changes nothing', async () => {
    const { root, temporary } = prepare()
    const path = join(root, 'b')
    expect(await publishNew(disk, temporary, path, Buffer.from('first'))).toBe(true)
    expect(await publishNew(disk, temporary, path, Buffer.from('second'))).toBe(false)
    expect(fs.readFileSync(path, 'utf8')).toBe('first')
    expect(tree(root)).toEqual(['a', 'b', 'tmp/'])
  })

  it('replaces a planted symbolic link and leaves its target alone', async () => {
    const { root, temporary, path } = prepare()
    const link = join(root, 'link')
    fs.symlinkSync(path, link)
    await replaceFile(disk, temporary, link, Buffer.from('new'))
    expect(fs.readFileSync(path, 'utf8')).toBe('old')
    expect(fs.lstatSync(link).isFile()).toBe(true)
  })

  it('syncs the file before its name appears and the folder behind it', async () => {
    const { temporary, path } = prepare()
    const plan = { failAt: 99, code: 'EIO', mode: 'once', only: changingCalls } as const
    const { disk: counted, calls } = faultyDisk(disk, plan)
    await replaceFile(counted, temporary, path, Buffer.from('new'))
    expect(calls).toEqual(['create', 'writeMuch', 'syncData', 'rename', 'syncFolder'])
  })

  it.each(['once', 'from-then-on'] as const)(
    'leaves the old or the new file when a call fails %s, whichever it is',
    async (mode) => {
      for (let failAt = 1; ; failAt++) {
        const { root, temporary, path } = prepare()
        const plan = { failAt, code: 'ENOSPC', mode, only: changingCalls, takeBytes: 1 }
        const faulty = faultyDisk(disk, plan)
        const error = await replaceFile(faulty.disk, temporary, path, Buffer.from('new')).catch(
          (reason: unknown) => reason,
        )
        const found = fs.readFileSync(path, 'utf8')
        if (!faulty.hasFailed()) {
          expect(found).toBe('new')
          expect(failAt).toBe(6)
          return
        }
        expect(error).toBeInstanceOf(AppError)
        expect(error).toHaveProperty('code', 'storage-full')
        // Only the sync of the folder comes behind the rename.
        expect(found).toBe(failAt === 5 ? 'new' : 'old')
        if (mode === 'once') expect(tree(root)).toEqual(['a', 'tmp/'])
      }
    },
  )
})
