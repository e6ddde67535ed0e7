/** Room on the disk: asked for each time where there is little, and now and then where there is much. */
import { expect, test } from 'vitest'
import { syncDisk } from '../../../src/storage/file/disk.ts'
import { FreeSpace } from '../../../src/storage/file/free-space.ts'

function counted(...free: number[]) {
  let asked = 0
  const disk = {
    ...syncDisk,
    free: () => ({ bytes: free[asked++] ?? 0, inodes: 1 }),
  }
  return { space: new FreeSpace(disk, '/'), asked: () => asked }
}

test('where little is free, every look is a look at the disk', () => {
  const { space, asked } = counted(5000, 5000, 4000, 4001)
  expect([space.has(5000), space.has(5001), space.has(4001), space.has(4001)]).toEqual([
    true,
    false,
    false,
    true,
  ])
  expect(asked()).toBe(4)
})

test('where much is free, that is believed for a moment', async () => {
  const { space, asked } = counted(2 ** 31, 3000)
  for (let n = 0; n < 20; n++) expect(space.has(5000)).toBe(true)
  expect(asked()).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 120))
  expect(space.has(5000)).toBe(false)
  expect(asked()).toBe(2)
})
