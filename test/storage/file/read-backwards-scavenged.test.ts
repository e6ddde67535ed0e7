/** Files that are replaced, and an index that changes with them, under somebody who reads backwards. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { appendTo, draft, jsonBody } from '../../support/drafts.ts'
import { openTestStore } from '../../support/file-store.ts'
import { collect } from '../../support/store.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function openStore(root: string) {
  return openTestStore(root, { segmentBytes: 4000, sync: false })
}

test('whoever reads backwards while files are scavenged and the index is built anew reads all', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'apie-back-'))
  folders.push(folder)
  const root = join(folder, 'data')
  const [one, other] = [await openStore(root), await openStore(root)]
  for (let n = 0; n < 30; n++) {
    const body = jsonBody(JSON.stringify('x'.repeat(n % 2 ? 300 : 20)))
    await one.log.append(appendTo(n % 2 ? 'drop' : 'keep', [{ ...draft(n), body }]))
  }
  const all = async () =>
    (await collect(other.log.readLog(0, Number.MAX_SAFE_INTEGER, 'backwards'))).flat()
  expect(await all()).toHaveLength(30)
  await one.log.scavenge(({ stream }) => stream === 'drop')
  await one.reindex()
  await one.log.append(appendTo('keep', [draft(100)]))
  expect(await all()).toHaveLength(31)
  await one.close()
  await other.close()
})
