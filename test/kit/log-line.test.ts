import { describe, expect, test } from 'vitest'
import { logLine, MAX_LINE } from '../../src/kit/log-line.ts'

const atMs = Date.UTC(2026, 0, 2, 3, 4, 5, 6)

describe('a log line', () => {
  test('is time, level, message and facts', () => {
    const facts = { reference: 'ab12', count: 3, path: 'two words', gone: undefined }
    expect(logLine({ atMs, level: 'error', message: 'it broke', facts })).toBe(
      '2026-01-02T03:04:05.006Z error it broke reference=ab12 count=3 path="two words"\n',
    )
  })

  test('cannot be ended, coloured or turned around by what it holds', () => {
    const message = 'a\r\nb\u001b[31mc\u0085d\u2028e\u202ef\ud800'
    expect(logLine({ atMs, level: 'info', message })).toBe(
      '2026-01-02T03:04:05.006Z info a\\u{d}\\nb\\u{1b}[31mc\\u{85}d\\u{2028}e\\u{202e}f\ufffd\n',
    )
  })

  test('escapes the backslash, so that what was escaped can be told from what was sent', () => {
    expect(logLine({ atMs, level: 'info', message: 'a\\nb' })).toContain(' a\\\\nb\n')
  })

  test('withholds facts whose name speaks of secrets', () => {
    const facts = { authorization: 'x1', cookie: 'x2', setupToken: 'x3', newPassword: 'x4' }
    expect(logLine({ atMs, level: 'info', message: 'm', facts })).not.toMatch(/x[1-4]/)
  })

  test('withholds credentials inside of text', () => {
    const line = logLine({ atMs, level: 'info', message: 'sent Basic YWRtaW46c2VjcmV0 and more' })
    expect(line).toContain('sent Basic [withheld] and more')
  })

  test('has at most 4096 characters and stays whole at its end', () => {
    const line = logLine({
      atMs,
      level: 'info',
      message: '\u{1f600}'.repeat(5000),
      facts: { stack: 'y'.repeat(9000) },
    })
    expect(line.length).toBeLessThanOrEqual(MAX_LINE)
    expect(line.endsWith('…\n')).toBe(true)
    expect(line.isWellFormed()).toBe(true)
    expect(line).not.toContain('\ufffd')
  })
})
