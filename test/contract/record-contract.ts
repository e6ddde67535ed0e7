/** The suite of the record port. */
import { describe, expect, test } from 'vitest'
import type { RecordEngine } from '../../src/domain/ports.ts'
import { type Engine, verifiedStores } from '../support/store.ts'

export function recordContract(engine: Engine): void {
  describe(`records of the ${engine.name} engine`, () => {
    const open = verifiedStores(engine)
    writeGroup(open)
    conflictGroup(open)
    listGroup(open)
    groupGroup(open)
    stampGroup(open)
    if (engine.persistence.kind === 'durable') reopenGroup(open)
  })
}

type Open = ReturnType<typeof verifiedStores>

async function expectConflict(attempt: Promise<unknown>): Promise<void> {
  await expect(attempt).rejects.toMatchObject({ code: 'record-conflict' })
}

function writeGroup(open: Open): void {
  test('a record that was never written is not there', async () => {
    const { records } = (await open()).store
    expect(await records.read('account', 'ann')).toBeUndefined()
    expect(await records.list('account')).toEqual([])
  })

  test('each write raises the revision, from 0 on', async () => {
    const { records } = (await open()).store
    const first = await records.write('account', 'ann', { role: 'reader' }, 'absent')
    expect(first).toEqual({ key: 'ann', value: { role: 'reader' }, revision: 0 })
    const second = await records.write('account', 'ann', { role: 'admin' }, 0)
    expect(second).toEqual({ key: 'ann', value: { role: 'admin' }, revision: 1 })
    expect(await records.read('account', 'ann')).toEqual(second)
  })

  test('a value of any JSON kind comes back as it was', async () => {
    const { records } = (await open()).store
    const values = [null, true, 0, -1.5, '', 'Größe 😀\n', [], {}, { a: [{ b: null }] }]
    for (const [n, value] of values.entries()) {
      await records.write('any', `k${n}`, value, 'absent')
      expect((await records.read('any', `k${n}`))?.value).toEqual(value)
    }
  })

  test('a value of 256 KiB comes back as it was', async () => {
    const { records } = (await open()).store
    const value = { text: 'ü\n"'.repeat(65_536) }
    await records.write('any', 'large', value, 'absent')
    expect((await records.read('any', 'large'))?.value).toEqual(value)
  })

  test('changing a value after it was handed over changes nothing in the store', async () => {
    const { records } = (await open()).store
    const value = { tags: ['a'] }
    const written = await records.write('any', 'k', value, 'absent')
    value.tags.push('b')
    ;(written.value as typeof value).tags.push('c')
    const read = await records.read('any', 'k')
    expect(read?.value).toEqual({ tags: ['a'] })
    Object.assign(read?.value ?? {}, { tags: ['d'] })
    expect((await records.read('any', 'k'))?.value).toEqual({ tags: ['a'] })
  })

  test('keys are kept apart, whatever they are made of', async () => {
    const { records } = (await open()).store
    const keys = [
      'a',
      'A',
      'a/b',
      '../a',
      'a b',
      'Größe',
      '😀',
      'a\nb',
      '__proto__',
      'k'.repeat(300),
    ]
    for (const [n, key] of keys.entries()) await records.write('c', key, n, 'absent')
    for (const [n, key] of keys.entries()) {
      expect(await records.read('c', key)).toEqual({ key, value: n, revision: 0 })
    }
  })

  test('the same key in two collections names two records', async () => {
    const { records } = (await open()).store
    await records.write('account', 'ann', 1, 'absent')
    await records.write('owner', 'ann', 2, 'absent')
    await records.remove('account', 'ann', 0)
    expect(await records.read('account', 'ann')).toBeUndefined()
    expect((await records.read('owner', 'ann'))?.value).toBe(2)
  })
}

function stampGroup(open: Open): void {
  test('the stamp, where there is one, changes with every write and removal and with nothing else', async () => {
    const { records } = (await open()).store
    const stamps: (number | undefined)[] = []
    const note = async (): Promise<void> => {
      await records.read('account', 'ann')
      stamps.push(records.stamp?.())
    }
    await records.write('account', 'ann', 1, 'absent')
    for (let revision = 0; revision < 25; revision++) {
      await note()
      await records.write('account', 'ann', 1, revision)
    }
    await note()
    await expectConflict(records.write('account', 'ann', 1, 3))
    await note()
    await records.remove('account', 'ann', 25)
    await note()
    const [unchanged] = stamps.splice(26, 1)
    expect(unchanged).toBe(stamps[25])
    expect(new Set(stamps).size).toBe(stamps[0] === undefined ? 1 : stamps.length)
  })
}

function conflictGroup(open: Open): void {
  test('a write that expects another revision is refused and changes nothing', async () => {
    const { records } = (await open()).store
    await expectConflict(records.write('c', 'k', 'x', 0))
    await records.write('c', 'k', 'first', 'absent')
    await expectConflict(records.write('c', 'k', 'x', 'absent'))
    await expectConflict(records.write('c', 'k', 'x', 1))
    await records.write('c', 'k', 'second', 0)
    await expectConflict(records.write('c', 'k', 'x', 0))
    expect(await records.read('c', 'k')).toEqual({ key: 'k', value: 'second', revision: 1 })
  })

  test('a removal needs the revision, and happens once', async () => {
    const { records } = (await open()).store
    await expectConflict(records.remove('c', 'k', 0))
    await records.write('c', 'k', 1, 'absent')
    await records.write('c', 'k', 2, 0)
    await expectConflict(records.remove('c', 'k', 0))
    expect((await records.read('c', 'k'))?.value).toBe(2)
    await records.remove('c', 'k', 1)
    expect(await records.read('c', 'k')).toBeUndefined()
    await expectConflict(records.remove('c', 'k', 1))
    await expectConflict(records.write('c', 'k', 3, 1))
    expect((await records.write('c', 'k', 3, 'absent')).value).toBe(3)
  })

  test('of 20 writes that expect the same revision one goes through', async () => {
    const { records } = (await open()).store
    const attempts = Array.from({ length: 20 }, (_, n) => records.write('c', 'k', n, 'absent'))
    const settled = await Promise.allSettled(attempts)
    const won = settled.filter((outcome) => outcome.status === 'fulfilled')
    expect(won.length).toBe(1)
    expect(await records.read('c', 'k')).toEqual(won[0]?.value)
  })

  test('20 counters that read, add one and try again lose no step', async () => {
    const { records } = (await open()).store
    await records.write('c', 'count', 0, 'absent')
    await Promise.all(Array.from({ length: 20 }, () => addOne(records)))
    expect(await records.read('c', 'count')).toEqual({ key: 'count', value: 20, revision: 20 })
  })
}

async function addOne(records: RecordEngine): Promise<void> {
  for (;;) {
    const current = await records.read('c', 'count')
    try {
      await records.write('c', 'count', Number(current?.value) + 1, current?.revision ?? 0)
      return
    } catch (error) {
      expect(error).toMatchObject({ code: 'record-conflict' })
    }
  }
}

function listGroup(open: Open): void {
  test('a list is in the order in which the keys came to be, whatever was changed since', async () => {
    const { records } = (await open()).store
    for (const key of ['c', 'a', 'b', '10', '9']) await records.write('list', key, key, 'absent')
    await records.write('list', 'c', 'changed', 0)
    await records.remove('list', 'b', 0)
    expect(await records.list('list')).toEqual([
      { key: 'c', value: 'changed', revision: 1 },
      { key: 'a', value: 'a', revision: 0 },
      { key: '10', value: '10', revision: 0 },
      { key: '9', value: '9', revision: 0 },
    ])
  })

  test('a list of 200 records is whole', async () => {
    const { records } = (await open()).store
    const keys = Array.from({ length: 200 }, (_, n) => `k${n}`)
    for (const key of keys) await records.write('many', key, null, 'absent')
    expect((await records.list('many')).map(({ key }) => key)).toEqual(keys)
  })
}

function groupGroup(open: Open): void {
  test('a group is what begins with its name and a slash, in the order of a list', async () => {
    const { records } = (await open()).store
    const keys = ['a/2', 'b/1', 'a/1/x', 'a', 'ab/1', 'a/', '/a', '$a/ß']
    for (const key of keys) await records.write('c', key, key, 'absent')
    await records.write('other', 'a/3', null, 'absent')
    await records.write('c', 'a/2', 'changed', 0)
    const keysOf = async (group: string) =>
      (await records.list('c', group)).map(({ key, value }) => [key, value])
    expect(await keysOf('a')).toEqual([
      ['a/2', 'changed'],
      ['a/1/x', 'a/1/x'],
      ['a/', 'a/'],
    ])
    expect(await keysOf('')).toEqual([['/a', '/a']])
    expect(await keysOf('$a')).toEqual([['$a/ß', '$a/ß']])
    expect(await keysOf('c')).toEqual([])
    await records.remove('c', 'a/1/x', 0)
    expect(await keysOf('a')).toEqual([
      ['a/2', 'changed'],
      ['a/', 'a/'],
    ])
    expect(await records.list('c')).toHaveLength(7)
  })
}

function reopenGroup(open: Open): void {
  test('records and their revisions outlive a reopening', async () => {
    const opened = await open()
    await opened.store.records.write('c', 'b', 1, 'absent')
    await opened.store.records.write('c', 'a', 1, 'absent')
    await opened.store.records.write('c', 'a', 2, 0)
    const { records } = await opened.reopen()
    expect(await records.list('c')).toEqual([
      { key: 'b', value: 1, revision: 0 },
      { key: 'a', value: 2, revision: 1 },
    ])
    await expectConflict(records.write('c', 'a', 3, 0))
  })
}
