/** The texts of a log in one go, against its events one by one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  EMPTY_HASH,
  type EventDraft,
  type EventHash,
  type EventId,
  type EventType,
} from '../../../src/domain/event.ts'
import { eventTextWithHash } from '../../../src/domain/event-text.ts'
import type { StreamName } from '../../../src/domain/stream-name.ts'
import type { JsonText } from '../../../src/kit/json-text.ts'
import { asyncDisk } from '../../../src/storage/file/disk.ts'
import { rewriteLines } from '../../../src/storage/file/log-texts.ts'
import { openTestStore } from '../../support/file-store.ts'
import { handClock } from '../../support/store.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'apie-texts-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function open(segmentBytes = 64 * 1024) {
  return openTestStore(join(root, 'data'), {
    disk: asyncDisk,
    clock: handClock(),
    segmentBytes,
    sync: false,
    isLongLived: true,
  })
}

type OpenStore = Awaited<ReturnType<typeof open>>

const draft = (n: number): EventDraft => ({
  eventId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as EventId,
  eventType: 't' as EventType,
  body: {
    kind: 'json',
    text: JSON.stringify({ n, hash: null, text: 'ü'.repeat(n % 300) }) as JsonText,
  },
})

/** Events alone, and in batches of two and three, over several files of the log. */
async function filled() {
  const store = await open()
  for (let n = 0; n < 600; ) {
    const size = n % 50 === 7 ? 3 : n % 31 === 5 ? 2 : 1
    await store.log.append({
      stream: 's' as StreamName,
      expectedVersion: { kind: 'any' },
      retryRule: 'equal-id',
      createdBy: 'a',
      events: Array.from({ length: size }, () => draft(n++)),
    })
  }
  return store
}

async function textOf({ log }: OpenStore, from: number, to: number): Promise<string> {
  let text = ''
  for await (const piece of log.readTexts?.(from, to, 0x2c) ?? []) {
    text += Buffer.from(piece).toString('utf8')
  }
  return text
}

async function expectedText({ log }: OpenStore, from: number, to: number): Promise<string> {
  let text = ''
  for (let at = from; at < to; at++) {
    const event = await log.read(at)
    if (event) text += `,${eventTextWithHash(event).toString('utf8')}`
  }
  return text
}

const files = () => {
  const folder = join(root, 'data/log')
  return readdirSync(folder)
    .sort()
    .map((name) => join(folder, name))
}

describe('the texts of a log', () => {
  test('are those of its events, wherever one begins and ends', async () => {
    const store = await filled()
    const { count } = await store.log.head()
    expect(files().length).toBeGreaterThan(2)
    const bounds = [0, 1, 2, 3, 7, 8, 9, 10, 57, 58, 299, count - 1, count]
    for (const from of bounds) {
      for (const to of bounds) {
        const expected = from < to ? await expectedText(store, from, to) : ''
        expect(await textOf(store, from, to)).toBe(expected)
      }
    }
    await store.close()
  })

  test('leave out lines that do not count', async () => {
    const store = await filled()
    const { count } = await store.log.head()
    const expected = await expectedText(store, 0, count)
    await store.close()
    const last = files().at(-1) ?? ''
    writeFileSync(last, 'no line of this log\n', { flag: 'a' })
    const again = await open()
    await again.log.append({
      stream: 's' as StreamName,
      expectedVersion: { kind: 'any' },
      retryRule: 'equal-id',
      createdBy: 'a',
      events: [draft(9999)],
    })
    const more = await expectedText(again, count, count + 1)
    expect(await textOf(again, 0, count + 1)).toBe(expected + more)
    await again.close()
  })

  test('stay those of the events when bodies were removed', async () => {
    const store = await filled()
    const { count } = await store.log.head()
    await store.log.scavenge((_event, position) => position % 3 === 0)
    expect(await textOf(store, 0, count)).toBe(await expectedText(store, 0, count))
    await store.close()
  })

  test('end in an error at whatever byte of a line was changed', async () => {
    const store = await filled()
    const { count } = await store.log.head()
    const [first = ''] = files()
    const whole = readFileSync(first)
    // The first lines are rewritten where they stand; from the first batch on all are taken apart.
    for (const from of [0, 20_000]) {
      const lineStart = whole.indexOf(10, from) + 1
      const lineEnd = whole.indexOf(10, lineStart)
      for (let at = lineStart; at < lineEnd; at += from === 0 ? 1 : 5) {
        const damaged = Buffer.from(whole)
        damaged[at] = (damaged[at] ?? 0) ^ 1
        writeFileSync(first, damaged)
        await expect(textOf(store, 0, count)).rejects.toMatchObject({ code: 'log-damaged' })
      }
    }
    writeFileSync(first, whole)
    expect(await textOf(store, 0, count)).toBe(await expectedText(store, 0, count))
    await store.close()
  })

  test('are those of its events where a file is read in many pieces, and damage shows in each', async () => {
    const store = await open(16 << 20)
    await Promise.all(
      Array.from({ length: 4000 }, (_, n) =>
        store.log.append({
          stream: 's' as StreamName,
          expectedVersion: { kind: 'any' },
          retryRule: 'equal-id',
          createdBy: 'a',
          events: [draft(n)],
        }),
      ),
    )
    const expected = await expectedText(store, 0, 4000)
    expect(await textOf(store, 0, 4000)).toBe(expected)
    const [only = ''] = files()
    const whole = readFileSync(only)
    expect(whole.length).toBeGreaterThan(7 * 256 * 1024)
    for (let at = 100_000; at < whole.length; at += 256 * 1024) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      writeFileSync(only, damaged)
      await expect(textOf(store, 0, 4000)).rejects.toMatchObject({ code: 'log-damaged' })
    }
    writeFileSync(only, whole)
    expect(await textOf(store, 0, 4000)).toBe(expected)
    await store.close()
  })
})

describe('lines that are rewritten', () => {
  const FIRST = '{"n":1,"hash":null}'
  const SECOND = '{"n":2,"hash":null}'
  // printf '%s\n%s' PREVIOUS TEXT | sha256sum
  const H1 = '9c39935639098345f7c706bf7662a2cd1b2e2bae972b178ce17ae4428d437611' as EventHash
  const H2 = 'bf23ae01bd984a8e09ef7f450e2b35369d40788dbe04d12365ea01df4cffa9ae'
  const line = (hash: string, previous: string, offset: number, position: number, text: string) =>
    Buffer.from(`${hash}\t${previous}\t${offset}\t${position}\t${text}\n`)
  const first = line(H1, EMPTY_HASH, 99, 0, FIRST)
  const second = line(H2, H1, 99 + first.length, 1, SECOND)
  const start = () => ({ count: 0, hash: EMPTY_HASH, from: 0, to: 10 })

  test('become the texts of their events', () => {
    const bytes = Buffer.concat([first, second])
    const point = start()
    const { length, read } = rewriteLines(bytes, 99, point, 0x2c)
    expect(bytes.toString('latin1', 0, length)).toBe(
      `,{"n":1,"hash":"${H1}"},{"n":2,"hash":"${H2}"}`,
    )
    expect([read, point.count, point.hash]).toEqual([bytes.length, 2, H2])
  })

  test.each<[string, Buffer]>([
    ['another text', line(H2, H1, 99 + first.length, 1, '{"n":3,"hash":null}')],
    ['another hash', line(H1, H1, 99 + first.length, 1, SECOND)],
    ['another hash before it', line(H2, H2, 99 + first.length, 1, SECOND)],
    ['another offset', line(H2, H1, 98, 1, SECOND)],
    ['another position', line(H2, H1, 99 + first.length, 2, SECOND)],
    ['two events', line(H2, H1, 99 + first.length, 1, `${SECOND}\t${SECOND}`)],
    ['its hash elsewhere', line(H2, H1, 99 + first.length, 1, '{"hash":null,"n":2}')],
    ['no event', Buffer.from('rubbish\n')],
    ['nothing', Buffer.from('\n')],
  ])('end before one with %s, which stays as it was', (_what, other) => {
    for (const behind of [[], [second]]) {
      const bytes = Buffer.concat([first, other, ...behind])
      const point = start()
      const { length, read } = rewriteLines(bytes, 99, point, 0x0a)
      expect(bytes.toString('latin1', 0, length)).toBe(`\n{"n":1,"hash":"${H1}"}`)
      expect(bytes.subarray(read)).toEqual(Buffer.concat([other, ...behind]))
      expect([read, point.count, point.hash]).toEqual([first.length, 1, H1])
    }
  })
})
