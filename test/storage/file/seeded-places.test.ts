/** The mistakes that the crash suite puts into the engine still have the places they are put into. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SEEDED_BUGS, withBug } from '../../crash/seeded-bugs.ts'
import { PROJECT } from '../../support/executable.ts'

test.each(SEEDED_BUGS.map((bug) => [bug.name, bug] as const))('%s', (_name, bug) => {
  const path = join(PROJECT, 'src/storage/file', bug.file)
  const source = readFileSync(path, 'utf8')
  expect(withBug(bug, path, source)).not.toBe(source)
  const [file, title] = bug.caughtBy
  expect(readFileSync(join(PROJECT, 'test/crash', file), 'utf8')).toContain(title)
})
