import fs from 'node:fs'
import { expect, it } from 'vitest'
import { asyncDisk, syncDisk } from '../../../src/storage/file/disk.ts'
import { createFileSetupToken } from '../../../src/storage/file/setup-token.ts'
import { makeDataFolder, modeOf, scratchFolders } from '../../support/data-folder.ts'

const newFolder = scratchFolders()

it('makes one token for everybody, in a file that only the owner reads', async () => {
  const { layout } = await makeDataFolder(syncDisk, newFolder())
  const tokens = await Promise.all(
    [asyncDisk, asyncDisk, syncDisk].map((disk) => createFileSetupToken(disk, layout).make()),
  )
  expect(tokens[0]).toMatch(/^[A-Za-z0-9]{24}$/)
  expect(new Set(tokens).size).toBe(1)
  expect(fs.readFileSync(layout.setupToken, 'utf8')).toBe(`${tokens[0]}\n`)
  expect(modeOf(layout.setupToken)).toBe('600')
})

it('makes a new token after the old one was removed, and removes none twice', async () => {
  const { layout } = await makeDataFolder(syncDisk, newFolder())
  const token = createFileSetupToken(syncDisk, layout)
  await token.remove()
  const first = await token.make()
  await token.remove()
  await token.remove()
  expect(fs.existsSync(layout.setupToken)).toBe(false)
  expect(await token.make()).not.toBe(first)
})

it.each(['', '\n', 'short\n'])('takes a file that holds %j for no token', async (text) => {
  const { layout } = await makeDataFolder(syncDisk, newFolder())
  fs.writeFileSync(layout.setupToken, text)
  await expect(createFileSetupToken(syncDisk, layout).make()).rejects.toMatchObject({
    code: 'storage-unavailable',
  })
})
