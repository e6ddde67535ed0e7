/** Keys that share slots, marks and ends of tables: found all the same, whoever puts them in. */
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { asyncDisk, syncDisk } from '../../../src/storage/file/disk.ts'
import type { Fingerprint } from '../../../src/storage/file/fingerprint.ts'
import { withoutPlace } from '../../../src/storage/file/index-batch.ts'
import { IndexFiles } from '../../../src/storage/file/index-files.ts'
import { scratchFolders } from '../../support/data-folder.ts'
import { keysBatch } from '../../support/index-batches.ts'

const newFolder = scratchFolders()
/** Slots of the first table, for 4,096 events. */
const SLOTS = 8192
const imageOf = (folder: string) =>
  ['hashes', 'ids'].map((name) => fs.readFileSync(join(folder, name), 'hex'))

/** Keys of few places, next to each other and around the end of the first table, and of few marks. */
function keyOf(position: number): Fingerprint {
  return { place: SLOTS - 20 + (position % 37), mark: 1 + ((position * 7) % 5) }
}

const isSame = (a: Fingerprint, b: Fingerprint) => a.place === b.place && a.mark === b.mark

test('keys come to the same places whether they are put in at once, by the thread, in turns or without a thread', async () => {
  const disks = {
    atOnce: asyncDisk,
    beside: asyncDisk,
    inTurns: asyncDisk,
    withoutThread: syncDisk,
  }
  const images: string[][] = []
  const refusals: number[][] = []
  for (const [how, disk] of Object.entries(disks)) {
    const folder = join(newFolder(), '0123456789abcdef')
    const files = IndexFiles.make(disk, folder)
    const refused: number[] = []
    for (let from = 0; from < 4200; from += 300) {
      const batch = keysBatch(from, 300, keyOf)
      const isAtOnce = how === 'atOnce' || (how === 'inTurns' && from % 900 > 0)
      const places = isAtOnce ? files.write(batch) : await files.writeBeside(batch)
      refused.push(...withoutPlace(places).map((number) => from + number))
      const asked = from + 299
      const same = Array.from({ length: asked + 1 }, (_, position) => position).filter((position) =>
        isSame(keyOf(position), keyOf(asked)),
      )
      expect(files.hashes.find(keyOf(asked), asked + 1)).toEqual(expect.arrayContaining(same))
    }
    files.close()
    images.push(imageOf(folder))
    refusals.push(refused)
  }
  expect(refusals[0]?.length).toBeGreaterThan(1000)
  for (const image of images) expect(image).toEqual(images[0])
  for (const refused of refusals) expect(refused).toEqual(refusals[0])
})
