/** What may stand in the place of the lock of a log, besides a lock. */
import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LogLayout } from '../../src/storage/file/layout.ts'

/** Time of a file, seconds from now. */
function touch(path: string, seconds: number): void {
  const time = Date.now() / 1000 + seconds
  utimesSync(path, time, time)
}

export const SABOTAGE: readonly (readonly [what: string, plant: (layout: LogLayout) => void])[] = [
  [
    'a folder of an hour from now',
    ({ lock }) => {
      mkdirSync(lock)
      touch(lock, 3600)
    },
  ],
  [
    'a folder of half a minute from now',
    ({ lock }) => {
      mkdirSync(lock)
      touch(lock, 30)
    },
  ],
  [
    'an old folder with something in it',
    ({ lock }) => {
      mkdirSync(join(lock, 'something'), { recursive: true })
      touch(lock, -60)
    },
  ],
  [
    'a new folder with something in it',
    ({ lock }) => void mkdirSync(join(lock, 'something'), { recursive: true }),
  ],
  ['a new file', ({ lock }) => writeFileSync(lock, 'x')],
  [
    'an old file',
    ({ lock }) => {
      writeFileSync(lock, 'x')
      touch(lock, -60)
    },
  ],
  ['a link to a folder', ({ lock }) => symlinkSync(dirname(lock), lock)],
  ['a link to a file', ({ lock, owner }) => symlinkSync(owner, lock)],
  ['a link to nothing', ({ lock }) => symlinkSync('/nowhere/at/all', lock)],
  ['no folder for locks', ({ lock }) => rmSync(dirname(lock), { recursive: true })],
  [
    'a folder in the place of the owner record',
    ({ lock, owner }) => {
      rmSync(owner, { force: true })
      mkdirSync(owner)
      mkdirSync(lock)
    },
  ],
]
