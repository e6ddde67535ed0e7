/** Writes that are gathered and then made by another thread. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { asyncDisk } from '../../../src/storage/file/disk.ts'
import { WriteList } from '../../../src/storage/file/write-list.ts'
import { scratchFolders } from '../../support/data-folder.ts'
import { PROJECT } from '../../support/executable.ts'

const newFolder = scratchFolders()
const made = (list: WriteList) => asyncDisk.writeAll?.(list)

test('reads see what was gathered for a page, the latest last, and nothing of other files', () => {
  const list = new WriteList()
  list.add(3, Buffer.from('abcdef'), 4096)
  list.add(11, Buffer.from('------'), 4096)
  list.add(3, Buffer.from('XY'), 4098)
  list.add(3, Buffer.from('end'), 4110)
  const seen = (position: number, text: string, filled: number) => {
    const into = Buffer.from(text)
    const end = list.patch(3, into, position, filled)
    return [into.toString('latin1'), end]
  }
  expect(seen(4096, '........', 8)).toEqual(['abXYef..', 8])
  expect(seen(4099, '..', 2)).toEqual(['Ye', 2])
  expect(seen(4094, '....', 1)).toEqual(['.\0ab', 4])
  expect(seen(4100, '............', 0)).toEqual(['ef\0\0\0\0\0\0\0\0en', 12])
  expect(seen(8192, '....', 4)).toEqual(['....', 4])
  list.clear()
  expect(seen(4096, '....', 4)).toEqual(['....', 4])
})

test('the thread makes writes of any size in their order', async () => {
  const path = join(newFolder(), 'file')
  const fd = asyncDisk.openUpdate(path)
  const list = new WriteList()
  list.add(fd, Buffer.alloc(300_000, 'a'), 0)
  list.add(fd, Buffer.from('bcd'), 1)
  list.add(fd, Buffer.from('X'), 2)
  list.add(fd, Buffer.from('end'), 299_999)
  await made(list)
  const expected = Buffer.concat([Buffer.alloc(299_999, 'a'), Buffer.from('end')])
  expected.write('bXd', 1)
  expect(readFileSync(path).equals(expected)).toBe(true)
  asyncDisk.close(fd)
})

test('a write that fails is told, and none behind it is made; the thread goes on', async () => {
  const folder = newFolder()
  const path = join(folder, 'file')
  writeFileSync(join(folder, 'other'), 'for reading')
  const fd = asyncDisk.openUpdate(path)
  const readOnly = asyncDisk.openRead(join(folder, 'other')) ?? -1
  const list = new WriteList()
  list.add(fd, Buffer.from('first'), 0)
  list.add(readOnly, Buffer.from('second'), 0)
  list.add(fd, Buffer.from('third'), 0)
  const both = new WriteList()
  both.add(fd, Buffer.from('!'), 5)
  const answers = [made(list), made(both)]
  await expect(answers[0]).rejects.toMatchObject({
    code: 'storage-read-only',
    facts: { osCode: 'EBADF' },
  })
  await answers[1]
  expect(readFileSync(path, 'utf8')).toBe('first!')
  asyncDisk.close(fd)
  asyncDisk.close(readOnly)
})

/** Where limits of a shell hold, a program has a list written; tells whether it started a thread for that. */
function run(folder: string, limit: string, ...words: string[]): string {
  const program = join(folder, 'program.ts')
  writeFileSync(
    program,
    `import fs from 'node:fs'
import { asyncDisk } from '${PROJECT}/src/storage/file/disk.ts'
import { WriteList } from '${PROJECT}/src/storage/file/write-list.ts'
let told = 'no thread'
process.on('worker', () => {
  told = 'a thread'
})
const fd = asyncDisk.openUpdate(${JSON.stringify(join(folder, 'file'))})
const list = new WriteList()
list.add(fd, Buffer.from('written'), 0)
await asyncDisk.writeAll?.(list)
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
    expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('written')
  },
)
