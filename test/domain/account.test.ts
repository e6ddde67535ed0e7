import { describe, expect, it } from 'vitest'
import { allows, requireRole } from '../../src/domain/access.ts'
import { parseAccountName, parseInfo, parseRole, ROLES } from '../../src/domain/account.ts'
import { parsePassword } from '../../src/domain/password.ts'

describe('an account name', () => {
  it.each(['a', 'a@b.c', 'Jürgen', 'a b', 'a/b', '__proto__', '日本', '😀'.repeat(128)])(
    'may be %j',
    (name) => expect(parseAccountName(name)).toBe(name),
  )

  it('is kept in normal form C, so that two keyboards spell it alike', () => {
    expect(parseAccountName('Ju\u0308rgen')).toBe('J\u00fcrgen')
  })

  it.each([
    ['', 'must not be empty'],
    ['a'.repeat(129), 'must have at most 128 characters'],
    ['a:b', 'must not contain ":"'],
    ['a\nb', 'must not contain control characters'],
    ['a\u0000', 'must not contain control characters'],
    ['a\u202eb', 'must not contain control characters'],
    ['\ud800', 'must be well-formed Unicode'],
    [' a', 'must not begin or end with white space'],
    ['a\u00a0', 'must not begin or end with white space'],
  ])('may not be %j', (name, problem) => {
    expect(() => parseAccountName(name)).toThrow(
      expect.objectContaining({ code: 'bad-name', message: `account name ${problem}` }),
    )
  })
})

describe('what is told about an account', () => {
  it.each(['x:y\nz', 'a\tb', '\u0007', 'x'.repeat(1001)])('info may not be %j', (info) => {
    expect(() => parseInfo(info)).toThrow(expect.objectContaining({ code: 'bad-field' }))
  })

  it('info may hold a colon, since nothing is kept in lines', () => {
    expect(parseInfo('office: 12')).toBe('office: 12')
  })

  it('a role is reader, writer or admin and nothing else', () => {
    expect(['reader', 'writer', 'admin'].map(parseRole)).toEqual(['reader', 'writer', 'admin'])
    for (const role of ['', 'Admin', 'root', 'toString']) {
      expect(() => parseRole(role)).toThrow(expect.objectContaining({ code: 'bad-field' }))
    }
  })
})

describe('a chosen password', () => {
  it('may have one letter, a colon, blanks and any script', () => {
    for (const password of ['n', 'a:b', ' a ', 'пароль', 'x'.repeat(1024)]) {
      expect(parsePassword(password)).toBe(password)
    }
    expect(parsePassword('u\u0308')).toBe('\u00fc')
  })

  it.each(['', 'a\nb', '\u0000', '\ud800', 'x'.repeat(1025)])('may not be %j', (password) => {
    expect(() => parsePassword(password)).toThrow(expect.objectContaining({ code: 'bad-field' }))
  })
})

describe('roles', () => {
  it('may do what the roles before them may', () => {
    const table = ROLES.map((role) => ROLES.map((needed) => allows(role, needed)))
    expect(table).toEqual([
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ])
  })

  it('deny an account what it may not do, and ask everybody else for an account', () => {
    const reader = { name: 'r', role: 'reader' } as const
    const codeFor = (isAnonymous: boolean) => {
      try {
        requireRole({ ...reader, isAnonymous }, 'writer')
        return undefined
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect([codeFor(false), codeFor(true)]).toEqual(['access-denied', 'credentials-missing'])
  })
})
