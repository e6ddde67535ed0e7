/** The thread that writes an index: that it starts where it may, what it makes of failures, and of several logs. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { asyncDisk, syncDisk } from '../../../src/storage/file/disk.ts'
import { IndexFiles } from '../../../src/storage/file/index-files.ts'
import { scratchFolders } from '../../support/data-folder.ts'
import { PROJECT } from '../../support/executable.ts'
import { keysBatch } from '../../support/index-batches.ts'

const newFolder = scratchFolders()
const hashesIn = (folder: string) => readFileSync(join(folder, 'hashes'), 'hex')

test('a write that fails is told; the thread goes on, and the same batch is written after it', async () => {
  const [right, folder] = [join(newFolder(), 'right'), join(newFolder(), 'index')]
  const expected = IndexFiles.make(syncDisk, right)
  for (const from of [0, 100]) expected.write(keysBatch(from, 100))
  expected.close()
  const files = IndexFiles.make(asyncDisk, folder)
  await files.writeBeside(keysBatch(0, 100))
  const readOnly = IndexFiles.open(asyncDisk, folder, 'read')
  await expect(readOnly?.writeBeside(keysBatch(100, 100))).rejects.toMatchObject({
    code: 'storage-read-only',
    facts: { osCode: 'EBADF' },
  })
  await files.writeBeside(keysBatch(100, 100))
  expect(hashesIn(folder)).toBe(hashesIn(right))
  readOnly?.close()
  files.close()
})

test('logs that are written to in turns keep apart', async () => {
  const folders = Array.from({ length: 6 }, (_, number) => join(newFolder(), `index-${number}`))
  const all = folders.map((folder) => IndexFiles.make(asyncDisk, folder))
  const counts = [300, 20, 100, 7, 64, 1]
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      all.map((files, number) => {
        const count = counts[number] ?? 1
        return files.writeBeside(keysBatch(round * count, count))
      }),
    )
  }
  for (const files of all) files.close()
  for (const [number, folder] of folders.entries()) {
    const right = join(newFolder(), 'right')
    const files = IndexFiles.make(syncDisk, right)
    files.write(keysBatch(0, (counts[number] ?? 1) * 3))
    files.close()
    expect(hashesIn(folder)).toBe(hashesIn(right))
  }
})

/** Where limits of a shell hold, a program has an index written; tells whether it started a thread for that. */
function run(folder: string, limit: string, ...words: string[]): string {
  const program = join(folder, 'program.ts')
  writeFileSync(
    program,
    `import fs from 'node:fs'
import { asyncDisk } from '${PROJECT}/src/storage/file/disk.ts'
import { IndexFiles } from '${PROJECT}/src/storage/file/index-files.ts'
import { keysBatch } from '${PROJECT}/test/support/index-batches.ts'
let told = 'no thread'
process.on('worker', () => {
  told = 'a thread'
})
const files = IndexFiles.make(asyncDisk, ${JSON.stringify(join(folder, 'index'))})
await files.writeBeside(keysBatch(0, 3))
const flags = Number.parseInt(fs.readFileSync('/proc/self/fdinfo/1', 'latin1').split('flags:')[1], 8)
if ((flags & fs.constants.O_NONBLOCK) !== 0) told += ', and output that does not wait'
fs.writeSync(1, told)
`,
  )
  const text = `ulimit -v ${limit}; exec "$0" "$@"`
  const given = ['-c', text, process.execPath, ...words, program]
  const { stdout, stderr } = spawnSync('sh', given, { encoding: 'utf8' })
  return stdout || stderr
}

test.each([
  ['a thread', 'where it may', 'unlimited', []],
  ['no thread', 'where address space is limited', '8000000', []],
  [
    'no thread',
    'where that is not allowed',
    'unlimited',
    ['--permission', '--allow-fs-read=*', '--allow-fs-write=*'],
  ],
])(
  'with %s, %s, all is written, the output stays as it was, and the process ends',
  (thread, _, limit, words) => {
    const folder = newFolder()
    expect(run(folder, limit, ...words)).toBe(thread)
    const right = join(newFolder(), 'right')
    const files = IndexFiles.make(syncDisk, right)
    files.write(keysBatch(0, 3))
    files.close()
    expect(hashesIn(join(folder, 'index'))).toBe(hashesIn(right))
  },
)
