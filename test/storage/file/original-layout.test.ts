import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../../src/kit/sha256.ts'
import { createFileContent } from '../../../src/storage/file/content.ts'
import { syncDisk } from '../../../src/storage/file/disk.ts'
import {
  exportOriginalContent,
  importOriginalContent,
} from '../../../src/storage/file/original-content.ts'
import {
  readOriginalEvents,
  writeOriginalEvents,
} from '../../../src/storage/file/original-events.ts'
import { fixedClock, makeDataFolder, scratchFolders, tree } from '../../support/data-folder.ts'
import { changingCalls, faultyDisk } from '../../support/fault-disk.ts'
import { collect } from '../../support/store.ts'

const newFolder = scratchFolders()
const sample = join(import.meta.dirname, '../../disk/original')
const HASHES = [
  '8efd96dacb66e37c5f9c06562465836c0dba72bb9036bd66d9228acdd6cd56f8',
  'b0f59c90d9824ae698c02592ec617b8835d514d3c5e3fa225d8b0df3119bfc0b',
  '4e3f4f53751672c27335dd8453be2d68db1175d3b1ad34229689ae04f6ec68f1',
  'd1ef7ebd284da9d6400b5e8a9dc5b951374e7bf80572a5f1d1097b5b5d8d289c',
  '3ed54d761f02f8430918f4f92871286adf9812d4eeaa5b748b22666c69d256a2',
]
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'

/** A copy of the sample that a test may damage; returns the folder of its events. */
function copyOfEvents(): string {
  const folder = join(newFolder(), 'events')
  fs.cpSync(join(sample, 'events/default'), folder, { recursive: true })
  return folder
}

function pathOf(folder: string, sequence: number, hash = HASHES[sequence - 1] ?? ''): string {
  return join(folder, hash.slice(0, 2), hash, `000000000${sequence}.json`)
}

const readAll = (folder: string) => collect(readOriginalEvents(syncDisk, folder))

describe('events of the original layout', () => {
  it('are read in their order with their bytes, hashes and links', async () => {
    const events = await readAll(join(sample, 'events/default'))
    expect(events.map(({ hash }) => hash)).toEqual(HASHES)
    expect(events.map(({ previous }) => previous)).toEqual([EMPTY, ...HASHES.slice(0, -1)])
    expect(Buffer.from(events[1]?.json ?? []).toString('utf8')).toBe(
      '{"eventId":"00000000-0000-4000-8000-000000000002","eventType":"x","body":{"n":2},"createdBy":"a@b.c","createdAt":"2020-01-01T00:00:01.500Z","hash":null}',
    )
  })

  it('can be none', async () => {
    const folder = newFolder()
    fs.writeFileSync(join(folder, 'index'), '')
    expect(await readAll(folder)).toEqual([])
  })

  it('are written as the same files with the same bytes', async () => {
    const source = join(sample, 'events/default')
    const target = join(newFolder(), 'copy')
    const count = await writeOriginalEvents(syncDisk, target, readOriginalEvents(syncDisk, source))
    expect(count).toBe(5)
    expect(tree(join(target, 'tmp'))).toEqual([])
    fs.rmdirSync(join(target, 'tmp'))
    expect(execFileSync('diff', ['-r', source, target], { encoding: 'utf8' })).toBe('')
  })

  it('are not written over others', async () => {
    const folder = copyOfEvents()
    const outcome = writeOriginalEvents(syncDisk, folder, readOriginalEvents(syncDisk, folder))
    await expect(outcome).rejects.toMatchObject({ code: 'usage' })
  })

  it('have an index only when all of them are there, at whichever call writing fails', async () => {
    const source = join(sample, 'events/default')
    for (let failAt = 1; ; failAt++) {
      const target = join(newFolder(), 'copy')
      const plan = { failAt, code: 'ENOSPC', mode: 'from-then-on', only: changingCalls } as const
      const faulty = faultyDisk(syncDisk, plan)
      const error = await writeOriginalEvents(
        faulty.disk,
        target,
        readOriginalEvents(syncDisk, source),
      ).catch((reason: unknown) => reason)
      if (faulty.hasFailed()) expect(error).toHaveProperty('code', 'storage-full')
      if (fs.existsSync(join(target, 'index'))) expect(await readAll(target)).toHaveLength(5)
      else await writeOriginalEvents(syncDisk, target, readOriginalEvents(syncDisk, source))
      expect(await readAll(target)).toHaveLength(5)
      if (!faulty.hasFailed()) break
    }
  })

  const damages: readonly [string, number, (folder: string) => void][] = [
    ['a changed byte', 2, (folder) => replaceIn(pathOf(folder, 2), '"n":2', '"n":3')],
    ['a missing file', 3, (folder) => fs.unlinkSync(pathOf(folder, 3))],
    ['an event left out', 2, (folder) => replaceIn(join(folder, 'index'), /0000000002.*\n/, '')],
    ['an index that is cut', 5, (folder) => fs.truncateSync(join(folder, 'index'), 5 * 76 - 1)],
    ['a short index line', 2, (folder) => replaceIn(join(folder, 'index'), / b0f5/, ' b0f')],
    ['upper-case hashes', 1, (folder) => replaceIn(join(folder, 'index'), '8efd', '8EFD')],
    ['windows line ends', 1, (folder) => replaceIn(join(folder, 'index'), /\n/g, '\r\n')],
    ['a path for a hash', 1, (folder) => replaceIn(join(folder, 'index'), /8efd96da/, '../../..')],
    ['an empty file', 1, (folder) => fs.truncateSync(pathOf(folder, 1))],
  ]

  it.each(damages)('are refused with %s, naming event %i', async (_, sequence, damage) => {
    const folder = copyOfEvents()
    damage(folder)
    await expect(readAll(folder)).rejects.toMatchObject({
      code: 'import-refused',
      facts: { sequence },
    })
  })

  it('are refused without an index, and when a link stands in place of one', async () => {
    const folder = newFolder()
    await expect(readAll(folder)).rejects.toMatchObject({ code: 'import-refused' })
    fs.symlinkSync('/etc/passwd', join(folder, 'index'))
    await expect(readAll(folder)).rejects.toMatchObject({ code: 'storage-unavailable' })
  })

  const whole =
    '{"eventId":"00000000-0000-4000-8000-000000000009","eventType":"x","body":1,"createdBy":"a","createdAt":"2020-01-01T00:00:00.000Z","hash":null}'
  it.each([
    ['does not follow', whole, HASHES[0]],
    ['several lines', whole.replace(',', ',\n'), EMPTY],
    ['lacks a member', whole.replace('"body":1,', ''), EMPTY],
    ['lacks a member', whole.replace('"hash":null', '"hash":"x"'), EMPTY],
    ['lacks a member', whole.replace('2020', 'noon'), EMPTY],
    ['lacks a member', whole.replace('"body"', '"stream":"a/b","body"'), EMPTY],
    ['is not the JSON', whole.slice(1), EMPTY],
    ['is not the JSON', whole.replace('-4000', ''), EMPTY],
    ['is not the JSON', 'null', EMPTY],
  ])('are refused when one with a right hash "%s"', async (words, json, previous) => {
    const folder = newFolder()
    const hash = sha256Hex(`${previous}\n${json}`)
    fs.mkdirSync(join(folder, hash.slice(0, 2), hash), { recursive: true })
    fs.writeFileSync(pathOf(folder, 1, hash), `${previous}\n${json}`)
    fs.writeFileSync(join(folder, 'index'), `0000000001 ${hash}\n`)
    await expect(readAll(folder)).rejects.toMatchObject({
      code: 'import-refused',
      message: expect.stringContaining(words),
    })
  })
})

describe('content of the original layout', () => {
  async function open() {
    const { layout } = await makeDataFolder(syncDisk, join(newFolder(), 'data'))
    return createFileContent({ disk: syncDisk, layout, clock: fixedClock })
  }
  const mediaTypeOf = (name: string) => (name.endsWith('.txt') ? 'text/plain' : 'a/b')

  it('is taken in with its names, once', async () => {
    const content = await open()
    const folder = join(sample, 'media')
    const first = await importOriginalContent(syncDisk, folder, content, mediaTypeOf)
    expect(first).toEqual({ imported: 3, alreadyThere: 0 })
    const listed = await collect(content.list())
    expect(listed.map(({ filename, mediaType, size }) => [filename, mediaType, size])).toEqual([
      ['Bericht 2020 größe.pdf', 'a/b', 12],
      ['hello.txt', 'text/plain', 5],
      ['empty.bin', 'a/b', 0],
    ])
    const second = await importOriginalContent(syncDisk, folder, content, mediaTypeOf)
    expect(second).toEqual({ imported: 0, alreadyThere: 3 })
  })

  it('is written as the same files', async () => {
    const content = await open()
    const folder = join(sample, 'media')
    await importOriginalContent(syncDisk, folder, content, mediaTypeOf)
    const target = join(newFolder(), 'media')
    expect(await exportOriginalContent(syncDisk, target, content)).toBe(3)
    expect(await exportOriginalContent(syncDisk, target, content)).toBe(0)
    fs.rmdirSync(join(target, 'tmp'))
    expect(execFileSync('diff', ['-r', folder, target], { encoding: 'utf8' })).toBe('')
  })

  it('is refused when its bytes do not have its hash, and nothing is stored', async () => {
    const content = await open()
    const folder = join(newFolder(), 'media')
    fs.cpSync(join(sample, 'media'), folder, { recursive: true })
    replaceIn(join(folder, '2c', HELLO, 'hello.txt'), 'hello', 'hallo')
    const outcome = importOriginalContent(syncDisk, folder, content, mediaTypeOf)
    await expect(outcome).rejects.toMatchObject({ code: 'import-refused', facts: { hash: HELLO } })
    expect(await collect(content.list())).toEqual([])
  })

  it('is refused when its bytes are gone', async () => {
    const content = await open()
    const folder = join(newFolder(), 'media')
    fs.cpSync(join(sample, 'media'), folder, { recursive: true })
    fs.truncateSync(join(folder, '2c', HELLO, 'hello.txt'), 0)
    const outcome = importOriginalContent(syncDisk, folder, content, mediaTypeOf)
    await expect(outcome).rejects.toMatchObject({ code: 'import-refused', facts: { hash: HELLO } })
    expect(await collect(content.list())).toEqual([])
  })

  it('gets a name that is hidden nowhere', async () => {
    const content = await open()
    const folder = join(newFolder(), 'media')
    fs.mkdirSync(join(folder, '2c', HELLO), { recursive: true })
    fs.writeFileSync(join(folder, '2c', HELLO, '..htaccess'), 'hello')
    await importOriginalContent(syncDisk, folder, content, mediaTypeOf)
    expect((await collect(content.list())).map(({ filename }) => filename)).toEqual(['htaccess'])
  })
})

function replaceIn(path: string, from: string | RegExp, to: string): void {
  fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace(from, to))
}
