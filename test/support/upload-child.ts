/**
 * Child process: stores blobs in the data folder named in the arguments and prints the hash of each when it
 * is acknowledged. `same`: one blob of 1 MiB, once; `many`: blobs without end, for a parent that kills it.
 */

import { createFileContent } from '../../src/storage/file/content.ts'
import { syncDisk } from '../../src/storage/file/disk.ts'
import { openFolder } from '../../src/storage/file/folder.ts'

const [root = '', work = 'many', seed = '0'] = process.argv.slice(2)
const clock = { now: () => Date.now() }

async function* blob(number: number, pieces: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < pieces; n++) yield Buffer.alloc(100_000, `${number} ${n} `)
}

async function main(): Promise<void> {
  const folder = await openFolder(syncDisk, root, { create: true, allowUnsafe: false, clock })
  if (!folder) throw new Error('no data folder')
  const content = createFileContent({ disk: syncDisk, layout: folder.layout, clock })
  const names = { filename: `${process.pid}.txt`, mediaType: 'text/plain' }
  if (work === 'same') {
    process.stdout.write(JSON.stringify(await content.put(blob(0, 10), names)))
    return
  }
  for (let n = Number(seed); ; n++) {
    const info = await content.put(blob(n % 50, 1 + (n % 7)), names)
    process.stdout.write(`${info.hash}\n`)
    // Every third is taken away again, so that kills also meet removals.
    if (n % 3 === 0) {
      process.stdout.write(`removing ${info.hash}\n`)
      await content.remove(info.hash)
    }
  }
}

main().catch((error) => {
  process.stderr.write(`${error}\n`)
  process.exitCode = 1
})
