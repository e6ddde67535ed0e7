/** What `reindex` removes of the generations of an index that no head names. */
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scratchFolders } from '../../support/data-folder.ts'
import { appendTo, draft } from '../../support/drafts.ts'
import { openTestStore } from '../../support/file-store.ts'

const newFolder = scratchFolders()

/** A generation that was last written to so many minutes ago. */
function plant(index: string, name: string, minutes: number): void {
  mkdirSync(join(index, name), { mode: 0o700 })
  const when = Date.now() / 1000 - minutes * 60
  for (const file of ['entries', 'links']) {
    writeFileSync(join(index, name, file), 'x', { mode: 0o600 })
    utimesSync(join(index, name, file), when, when)
  }
}

test.each(['index', 'records/index'])(
  'reindex removes from %s what was left 10 minutes ago, and nothing that may be at work',
  async (place) => {
    const root = newFolder()
    const store = await openTestStore(root)
    await store.log.append(appendTo('s', [draft(1)]))
    await store.records.write('account', 'a', 1, 'absent')
    const index = join(root, place)
    const folders = () => readdirSync(index).filter((name) => /^[0-9a-f]{16}$/.test(name))
    const [replaced = ''] = folders()
    const [left, atWork] = ['1'.repeat(16), '2'.repeat(16)]
    plant(index, left, 12)
    plant(index, atWork, 8)
    await store.reindex()
    expect(folders()).toHaveLength(3)
    expect(folders()).toEqual(expect.arrayContaining([replaced, atWork]))
    expect((await store.log.verify()).findings).toEqual([])
    await store.close()
  },
)

test('the clock of this machine tells nothing of the age of files', async () => {
  const root = newFolder()
  const store = await openTestStore(root, { clock: { now: () => Date.now() + 86_400_000 } })
  await store.log.append(appendTo('s', [draft(1)]))
  const atWork = '2'.repeat(16)
  plant(join(root, 'index'), atWork, 1)
  await store.reindex()
  expect(readdirSync(join(root, 'index'))).toContain(atWork)
  await store.close()
})
