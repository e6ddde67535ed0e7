import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ERROR_CODES, statusOf } from '../../src/http/problem.ts'

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')

it('docs/errors.md has a heading for every error code and for nothing else', () => {
  const headings = Array.from(text.matchAll(/^### (.+)$/gm), ([, code]) => code)
  expect(headings.toSorted()).toEqual(ERROR_CODES.toSorted())
})

it('docs/errors.md names the status of every code that a response can carry', () => {
  const atStart: readonly string[] = ['usage', 'cannot-listen', 'output-failed']
  for (const code of ERROR_CODES.filter((one) => !atStart.includes(one))) {
    const [, status] = new RegExp(`^### ${code}\n\n(\\d+)`, 'm').exec(text) ?? []
    expect([code, status]).toEqual([code, String(statusOf(code))])
  }
})
