/** How many defects of a log are listed, and what is said of the others. */
import { expect, test } from 'vitest'
import { Findings, MOST_FINDINGS } from '../../../src/storage/database/findings.ts'

test.each([
  [0, undefined],
  [MOST_FINDINGS, undefined],
  [MOST_FINDINGS + 1, true],
])('of %i defects as many are listed as fit; whether there are more: %s', (count, mayHaveMore) => {
  const findings = new Findings()
  for (let n = 0; n < count; n++) findings.damage('wrong', n, n === 0 ? 'abc' : undefined)
  const report = findings.report({ events: 1 })
  expect(report.findings).toHaveLength(Math.min(count, MOST_FINDINGS))
  expect(report.mayHaveMore).toBe(mayHaveMore)
  expect(report.counts).toEqual({ events: 1 })
  expect(report.findings.slice(0, 2)).toEqual(
    [
      { kind: 'damage', message: 'wrong', position: 0, hash: 'abc' },
      { kind: 'damage', message: 'wrong', position: 1 },
    ].slice(0, count),
  )
})
