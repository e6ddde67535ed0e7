/** Reading a log backwards takes many events in one go; each is checked all the same. */
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fixedClock, scratchFolders } from '../../support/data-folder.ts'
import { appendTo, draft } from '../../support/drafts.ts'
import { openTestStore } from '../../support/file-store.ts'

const folders = scratchFolders()

function open(root: string) {
  return openTestStore(root, { clock: fixedClock, segmentBytes: 64 * 1024, sync: false })
}

async function filled(root: string, events: number) {
  const store = await open(root)
  for (let n = 0; n < events; n += 50) {
    const batch = Array.from({ length: 50 }, (_, index) => draft(n + index))
    await store.log.append(appendTo(`s-${n % 3}`, batch))
  }
  return store
}

async function positionsUntilFailure(store: Awaited<ReturnType<typeof open>>, count: number) {
  const positions: number[] = []
  let error: unknown
  try {
    for await (const run of store.log.readLog(0, count, 'backwards')) {
      positions.push(...run.map(({ position }) => position))
    }
  } catch (caught) {
    error = caught
  }
  return { positions, error }
}

test('gives every event across files of the log, latest first', async () => {
  const store = await filled(join(folders(), 'data'), 1500)
  const { positions, error } = await positionsUntilFailure(store, 1500)
  expect(error).toBeUndefined()
  expect(positions).toEqual(Array.from({ length: 1500 }, (_, index) => 1499 - index))
  await store.close()
})

test('stops at an event whose bytes were changed and names its position', async () => {
  const root = join(folders(), 'data')
  const store = await filled(root, 1500)
  await store.close()
  const path = join(root, 'log', '00000001.log')
  const log = fs.readFileSync(path, 'latin1')
  fs.writeFileSync(path, log.replace('{"n":77}', '{"n":78}'), 'latin1')
  const damaged = await open(root)
  const { positions, error } = await positionsUntilFailure(damaged, 1500)
  expect(error).toMatchObject({ code: 'log-damaged', facts: { position: 77 } })
  expect(positions.at(-1)).toBeGreaterThan(77)
  expect(new Set(positions).size).toBe(positions.length)
  await damaged.close()
})
