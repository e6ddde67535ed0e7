/** A store that cannot be written to for a while. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import { type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import { diskError } from '../../../src/storage/file/disk-error.ts'
import { appendTo, draft } from '../../support/drafts.ts'
import { openTestStore } from '../../support/file-store.ts'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Rights do not hold root back, so the calls refuse by themselves. */
function lockableDisk(): { disk: Disk; state: { isLocked: boolean } } {
  const state = { isLocked: false }
  const refuse = <T>(call: () => T): T => {
    if (!state.isLocked) return call()
    throw diskError(Object.assign(new Error('denied'), { code: 'EACCES' }), 'open')
  }
  const disk: Disk = {
    ...syncDisk,
    openAppend: (path) => refuse(() => syncDisk.openAppend(path)),
    openUpdate: (path) => refuse(() => syncDisk.openUpdate(path)),
    create: (path, mode) => refuse(() => syncDisk.create(path, mode)),
  }
  return { disk, state }
}

function openStore(disk: Disk, root: string) {
  return openTestStore(root, { disk, clock: { now: () => 1_800_000_000_000 } })
}

test('a process that opened the log while it was read-only appends once it no longer is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'apie-read-only-'))
  folders.push(folder)
  const root = join(folder, 'data')
  const { disk, state } = lockableDisk()
  const first = await openStore(disk, root)
  await first.log.append(appendTo('s', [draft(1)]))
  await first.close()

  state.isLocked = true
  const store = await openStore(disk, root)
  expect((await store.log.head())?.count).toBe(1)
  const refusal = await store.log.append(appendTo('s', [draft(2)])).catch((error) => error)
  expect(refusal).toBeInstanceOf(AppError)
  expect(refusal).toMatchObject({ code: 'storage-read-only' })

  state.isLocked = false
  await store.log.append(appendTo('s', [draft(2)]))
  expect((await store.log.head())?.count).toBe(2)
  expect((await store.log.verify())?.counts).toMatchObject({ events: 2, indexed: 2 })
  await store.close()
})
