import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { syncDisk } from '../../../src/storage/file/disk.ts'
import { openFolder } from '../../../src/storage/file/folder.ts'
import {
  fixedClock,
  makeDataFolder,
  modeOf,
  scratchFolders,
  tree,
} from '../../support/data-folder.ts'
import { changingCalls, faultyDisk } from '../../support/fault-disk.ts'

const newFolder = scratchFolders()
const child = join(import.meta.dirname, '../../support/open-folder-child.ts')
const reading = { create: false, allowUnsafe: false, clock: fixedClock }
const creating = { ...reading, create: true }

const WHOLE = [
  '.htaccess',
  'content/',
  'format',
  'index/',
  'locks/',
  'log/',
  'records/',
  'records/index/',
  'records/log/',
  'tmp/',
]

const umaskBefore = process.umask()
afterEach(() => {
  process.umask(umaskBefore)
})

describe('a data folder', () => {
  it.each([0o000, 0o022, 0o777])('is private whatever the umask (%i)', async (umask) => {
    const root = join(newFolder(), 'above', 'data')
    process.umask(umask)
    await makeDataFolder(syncDisk, root)
    expect(modeOf(root)).toBe('700')
    expect(tree(root)).toEqual(WHOLE)
    for (const path of WHOLE) {
      expect(modeOf(join(root, path)), path).toBe(path.endsWith('/') ? '700' : '600')
    }
  })

  it('keeps the id of its store', async () => {
    const root = join(newFolder(), 'data')
    const first = await makeDataFolder(syncDisk, root)
    expect(first.format).toBe(1)
    expect(fs.readFileSync(join(root, 'format'), 'utf8')).toBe(
      `{"format":1,"storeId":"${first.storeId}","createdAt":"2020-01-01T00:00:00.000Z"}\n`,
    )
    expect(await openFolder(syncDisk, root, reading)).toEqual(first)
    expect(await openFolder(syncDisk, root, creating)).toEqual(first)
  })

  it('denies everything in the words of Apache 2.2 and of 2.4', async () => {
    const root = join(newFolder(), 'data')
    await makeDataFolder(syncDisk, root)
    const lines = fs.readFileSync(join(root, '.htaccess'), 'utf8').split('\n')
    expect(lines.slice(1)).toEqual([
      '<IfModule mod_authz_core.c>',
      '  Require all denied',
      '</IfModule>',
      '<IfModule !mod_authz_core.c>',
      '  Order deny,allow',
      '  Deny from all',
      '</IfModule>',
      '',
    ])
  })

  it('costs one look and one small read when it is there', async () => {
    const root = join(newFolder(), 'data')
    await makeDataFolder(syncDisk, root)
    const { disk, calls } = faultyDisk(syncDisk, { failAt: 99, code: 'EIO', mode: 'once' })
    await openFolder(disk, root, creating)
    expect(calls).toEqual(['status', 'openRead', 'size', 'readAt', 'close'])
  })

  it('is not made by a process that only reads', async () => {
    const root = join(newFolder(), 'data')
    expect(await openFolder(syncDisk, root, reading)).toBeUndefined()
    expect(fs.existsSync(root)).toBe(false)
    fs.mkdirSync(root, { mode: 0o700 })
    expect(await openFolder(syncDisk, root, reading)).toBeUndefined()
    expect(tree(root)).toEqual([])
  })

  it('gets one id from processes that make it at once', async () => {
    const root = join(newFolder(), 'data')
    const run = promisify(execFile)
    const open = () => run(process.execPath, [child, root])
    const ids = (await Promise.all([open(), open(), open()])).map(({ stdout }) => stdout)
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/)
    expect(new Set(ids).size).toBe(1)
    expect(tree(root)).toEqual(WHOLE)
  })

  it.each([0o750, 0o705, 0o720, 0o702])('is refused when others can use it (%i)', async (mode) => {
    const root = join(newFolder(), 'data')
    await makeDataFolder(syncDisk, root)
    fs.chmodSync(root, mode)
    await expect(openFolder(syncDisk, root, reading)).rejects.toMatchObject({
      code: 'data-folder-unsafe',
      facts: { mode: `0${mode.toString(8)}` },
      message: expect.stringContaining('chmod 700'),
    })
    expect(await openFolder(syncDisk, root, { ...reading, allowUnsafe: true })).toBeDefined()
  })

  it('is refused before anything is written when it is open to others', async () => {
    const root = newFolder()
    fs.chmodSync(root, 0o755)
    const outcome = openFolder(syncDisk, root, creating)
    await expect(outcome).rejects.toMatchObject({ code: 'data-folder-unsafe' })
    expect(tree(root)).toEqual([])
  })

  it.each([0o700, 0o755])(
    'is not made among the files of something else, whoever asks (%i)',
    async (mode) => {
      const root = newFolder()
      fs.writeFileSync(join(root, 'index.html'), '')
      fs.chmodSync(root, mode)
      for (const options of [creating, reading]) {
        const outcome = openFolder(syncDisk, root, options)
        await expect(outcome).rejects.toMatchObject({
          code: 'data-folder-unsafe',
          message: expect.stringMatching(/files of something else/),
        })
      }
      expect(tree(root)).toEqual(['index.html'])
    },
  )

  it('gets no new id while it holds events', async () => {
    const root = join(newFolder(), 'data')
    await makeDataFolder(syncDisk, root)
    fs.writeFileSync(join(root, 'log', '00000001.log'), '')
    fs.unlinkSync(join(root, 'format'))
    for (const options of [creating, reading]) {
      const outcome = openFolder(syncDisk, root, options)
      await expect(outcome).rejects.toMatchObject({ code: 'format-unknown' })
    }
    expect(fs.existsSync(join(root, 'format'))).toBe(false)
  })

  it.each([
    ['another version', '{"format":2,"storeId":"00112233445566778899aabbccddeeff"}'],
    ['a version that is no number', '{"format":"1","storeId":"00112233445566778899aabbccddeeff"}'],
    ['no id', '{"format":1}'],
    ['an id that is a path', '{"format":1,"storeId":"../../../../../../../../../../etc"}'],
    ['no JSON', '{"form'],
    ['nothing', ''],
    ['null', 'null'],
  ])('is refused when its format file holds %s', async (_, text) => {
    const root = join(newFolder(), 'data')
    await makeDataFolder(syncDisk, root)
    fs.writeFileSync(join(root, 'format'), text)
    const outcome = openFolder(syncDisk, root, creating)
    await expect(outcome).rejects.toMatchObject({ code: 'format-unknown' })
    expect(fs.readFileSync(join(root, 'format'), 'utf8')).toBe(text)
  })

  it('may be reached through a symbolic link, which is judged by where it leads', async () => {
    const above = newFolder()
    const made = await makeDataFolder(syncDisk, join(above, 'data'))
    fs.symlinkSync('data', join(above, 'link'))
    const { storeId } = made
    expect(await openFolder(syncDisk, join(above, 'link'), reading)).toMatchObject({ storeId })
    fs.chmodSync(join(above, 'data'), 0o755)
    const outcome = openFolder(syncDisk, join(above, 'link'), reading)
    await expect(outcome).rejects.toMatchObject({ code: 'data-folder-unsafe' })
  })

  it('does not follow a link planted as its format file', async () => {
    const root = join(newFolder(), 'data')
    await makeDataFolder(syncDisk, root)
    fs.renameSync(join(root, 'format'), join(root, 'elsewhere'))
    fs.symlinkSync('elsewhere', join(root, 'format'))
    const outcome = openFolder(syncDisk, root, reading)
    await expect(outcome).rejects.toMatchObject({ code: 'storage-unavailable' })
  })

  it('is refused with a code where a file or a dead link stands in its place', async () => {
    const above = newFolder()
    fs.writeFileSync(join(above, 'file'), 'kept')
    fs.symlinkSync('nowhere', join(above, 'dead'))
    for (const name of ['file', 'dead']) {
      const outcome = openFolder(syncDisk, join(above, name), creating)
      await expect(outcome).rejects.toMatchObject({ code: 'storage-unavailable' })
    }
    expect(fs.readFileSync(join(above, 'file'), 'utf8')).toBe('kept')
  })

  it('is finished by the next process, at whichever call the first one failed', async () => {
    for (const mode of ['once', 'from-then-on'] as const) {
      for (let failAt = 1; ; failAt++) {
        const root = join(newFolder(), 'data')
        const plan = { failAt, code: 'ENOSPC', mode, only: changingCalls, takeBytes: 3 }
        const faulty = faultyDisk(syncDisk, plan)
        const error = await openFolder(faulty.disk, root, creating).catch((reason) => reason)
        if (!faulty.hasFailed()) break
        // What fails while a temporary name is removed does no harm and is not told.
        if (faulty.calls[failAt - 1] !== 'unlink') expect(error.code).toBe('storage-full')
        await makeDataFolder(syncDisk, root)
        expect(tree(root).filter((path) => !/^tmp\/./.test(path))).toEqual(WHOLE)
      }
    }
  })
})

const isRoot = process.getuid?.() === 0

describe.runIf(isRoot)('a data folder that may not be written (needs root to set up)', () => {
  it('is opened by a reading process and says read-only to one that would make it', () => {
    const above = newFolder()
    fs.chmodSync(above, 0o755)
    const root = join(above, 'data')
    const id = execFileSync(process.execPath, [child, root], { encoding: 'utf8' })
    for (const path of ['', ...WHOLE]) {
      fs.chownSync(join(root, path), 65_534, 65_534)
      fs.chmodSync(join(root, path), path === '' || path.endsWith('/') ? 0o500 : 0o400)
    }
    const asNobody = (path: string, mode: string) =>
      execFileSync(process.execPath, [child, path, mode, '65534'], { encoding: 'utf8' })
    expect(asNobody(root, 'read')).toBe(id)
    expect(asNobody(root, 'create')).toBe(id)
    fs.unlinkSync(join(root, 'format'))
    expect(asNobody(root, 'create')).toBe('storage-read-only')
    expect(asNobody(join(above, 'new'), 'create')).toBe('storage-read-only')
  })
})
