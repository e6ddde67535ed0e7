/** The texts of a log in one go, against its events one by one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EventDraft, EventId, EventType } from '../../../src/domain/event.ts'
import { eventTextWithHash } from '../../../src/domain/event-text.ts'
import type { StreamName } from '../../../src/domain/stream-name.ts'
import type { JsonText } from '../../../src/kit/json-text.ts'
import { asyncDisk } from '../../../src/storage/file/disk.ts'
import { openTestStore } from '../../support/file-store.ts'
import { handClock } from '../../support/store.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'apie-texts-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function open() {
  return openTestStore(join(root, 'data'), {
    disk: asyncDisk,
    clock: handClock(),
    segmentBytes: 64 * 1024,
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
})
