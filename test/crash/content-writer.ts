/**
 * An uploader that is meant to be killed: stores one of a few contents again and again, and prints the hash of
 * each that was acknowledged. Arguments: folder, number of contents.
 */
import { writeSync } from 'node:fs'
import { AppError } from '../../src/domain/app-error.ts'
import { createFileContent } from '../../src/storage/file/content.ts'
import { syncDisk } from '../../src/storage/file/disk.ts'
import { openFolder } from '../../src/storage/file/folder.ts'

const [root = '', contents = '20'] = process.argv.slice(2)
const clock = { now: () => Date.now() }
const folder = await openFolder(syncDisk, root, { create: true, allowUnsafe: false, clock })
if (!folder) throw new Error('no data folder')
const content = createFileContent({ disk: syncDisk, layout: folder.layout, clock })

async function* bytes(number: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n <= number % 4; n++) yield Buffer.alloc(1 + number * 997, `${number} ${n} `)
}

for (;;) {
  const number = Math.floor(Math.random() * Number(contents))
  const about = { filename: `${number}.txt`, mediaType: 'text/plain' }
  try {
    const { hash } = await content.put(bytes(number), about)
    writeSync(1, `ok ${hash}\n`)
  } catch (error) {
    const code = error instanceof AppError ? error.code : String((error as Error).stack)
    writeSync(1, `failed ${code.replaceAll('\n', ' ')}\n`)
  }
}
