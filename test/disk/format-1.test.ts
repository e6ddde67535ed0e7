/**
 * A data folder that was written when format 1 was new, and is never written again: whatever is changed in the
 * program, it opens, verifies, answers as it did then, and can be appended to.
 *
 * It holds two files that are full and one that is not, a torn line in the middle, a batch, bodies of bytes, a
 * changed and a removed record, and a blob; its index is that of another machine.
 */
import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { EventHash } from '../../src/domain/event.ts'
import type { ContentHash } from '../../src/domain/ports.ts'
import { streamSequence, typeSequence } from '../../src/domain/sequence.ts'
import {} from '../../src/storage/file/disk.ts'
import { type FileStore } from '../../src/storage/file/engine.ts'
import { appendTo, draft, textOf } from '../support/drafts.ts'
import { openTestStore } from '../support/file-store.ts'

const FROZEN = fileURLToPath(new URL('./format-1', import.meta.url))
const HEAD = '1081e87a44a8ca9545e06dd9b3b44f2c2d2e02138d2ae367b1cd2f6682921d5c'
const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' as ContentHash
const SECOND =
  '{"eventId":"00000000-0000-4000-8000-000000000002","eventType":"order-placed","stream":"order-2",' +
  '"version":0,"position":1,"body":{"sku":"Größe 😀"},"metadata":{"trace":"x"},"createdBy":"anna",' +
  '"createdAt":"2026-01-31T12:00:04.500Z","hash":null}'

const folders: string[] = []

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function openCopy(leaveOut: readonly string[] = []): Promise<FileStore> {
  const folder = mkdtempSync(join(tmpdir(), 'apie-frozen-'))
  folders.push(folder)
  const root = join(folder, 'data')
  cpSync(FROZEN, root, { recursive: true })
  // Version control keeps no modes but one.
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const path = join(root, name)
    chmodSync(path, statSync(path).isDirectory() ? 0o700 : 0o600)
  }
  chmodSync(root, 0o700)
  for (const name of leaveOut) rmSync(join(root, name), { recursive: true })
  return openTestStore(root, { create: false, clock: { now: () => Date.parse('2027-01-01T00:00:00.000Z') }, segmentBytes: 4096 })
}

for (const [what, leaveOut] of [
  ['with its index', []],
  ['without its index', ['index', 'records/index']],
] as const) {
  test(`it answers as it did then, ${what}`, async () => {
    const store = await openCopy(leaveOut)
    expect(await store.log.head()).toEqual({ count: 19, hash: HEAD })
    expect(textOf(await store.log.read(1))).toBe(SECOND)
    expect(await store.log.findHash(HEAD as EventHash)).toBe(18)
    expect(await store.log.sequenceHead(typeSequence('order-shipped'))).toEqual({
      number: 11,
      position: 17,
    })
    const paid = await store.log.readSequence(streamSequence('order-2'), 1, 'forwards', 2)
    expect(paid.map(({ event }) => event.position)).toEqual([2, 3])
    expect(await store.records.list('account')).toEqual([
      { key: 'anna', value: { role: 'admin' }, revision: 1 },
    ])
    expect(await store.content.info(HELLO)).toMatchObject({ filename: 'hello.txt', size: 5 })
    await store.close()
  })

  test(`it verifies and can be appended to, ${what}`, async () => {
    const store = await openCopy(leaveOut)
    await store.log.append(appendTo('order-1', [draft(900)]))
    const report = await store.log.verify()
    expect(report.findings).toEqual([])
    expect(report.counts).toMatchObject({ events: 20, voidBytes: 44 })
    expect((await store.content.verify()).findings).toEqual([])
    await store.close()
  })
}
