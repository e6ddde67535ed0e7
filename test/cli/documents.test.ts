import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { settingsTable } from '../../src/cli/markdown.ts'
import { SETTINGS } from '../../src/settings.ts'
import { runWords } from '../support/command-line.ts'
import { PROJECT } from '../support/executable.ts'

test('docs/command-line.md is what `apie help --markdown` prints', async () => {
  const { out } = await runWords(['help', '--markdown'])
  expect(readFileSync(`${PROJECT}/docs/command-line.md`, 'utf8')).toBe(out)
})

test('the table of settings has a row for each, with name, variable, default and meaning', () => {
  const lines = settingsTable().trimEnd().split('\n')
  expect(lines).toHaveLength(2 + Object.keys(SETTINGS).length)
  expect(lines[1]).toBe('| --- | --- | --- | --- |')
  expect(lines).toContain(
    '| `anonymous` | `APIE_ANONYMOUS` | `none` | `none`, `reader`, `writer`, `admin`: role of requests without credentials |',
  )
  expect(lines).toContain(
    '| `maxJsonDepth` | `APIE_MAX_JSON_DEPTH` | `64` | deepest nesting of JSON that is taken (1 to 256) |',
  )
  expect(lines).toContain(
    '| `maxEventBytes` | `APIE_MAX_EVENT_BYTES` | `4194304` | largest body of an append, in bytes (≥ 1) |',
  )
})
