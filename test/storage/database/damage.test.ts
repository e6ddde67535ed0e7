/** Events in databases that somebody changed or deleted by hand: nobody is served what does not chain. */
import { describe, expect, test } from 'vitest'
import type { ReadDirection } from '../../../src/domain/ports.ts'
import { streamSequence, typeSequence } from '../../../src/domain/sequence.ts'
import { type Database, databases } from '../../support/damaged-store.ts'
import { appendTo, draft, jsonBody, membersOf } from '../../support/drafts.ts'

const COUNT = 40
const DIRECTIONS: readonly ReadDirection[] = ['forwards', 'backwards']

const damaged = (position: number) => ({
  code: 'log-damaged',
  message: `The event at position ${position} is damaged`,
  facts: { position },
})

/** 40 events, in turns of the streams `a` and `b`, so that position 10 is version 5 of `a`. */
async function openFull(database: Database) {
  const { store, ...hands } = await database.open()
  const { log, content } = store
  for (let n = 0; n < COUNT; n++) await log.append(appendTo(n % 2 === 0 ? 'a' : 'b', [draft(n)]))
  const hash = async (position: number) => (await log.read(position))?.hash ?? expect.fail()
  return {
    ...hands,
    log,
    content,
    hash,
    page: (stream: string, from: number, direction: ReadDirection, limit: number) =>
      log.readSequence(streamSequence(stream as never), from, direction, limit),
    run: async (from: number, to: number, direction: ReadDirection) => {
      const positions: number[] = []
      for await (const events of log.readLog(from, to, direction)) {
        positions.push(...events.map(({ position }) => position))
      }
      return positions
    },
  }
}

describe.for(databases.filter(({ url }) => url !== undefined))('damage in $name', (database) => {
  const open = () => openFull(database)

  test('an event whose text was changed is refused however it is asked for', async () => {
    const { log, hash, page, run, changeText, close } = await open()
    const hash10 = await hash(10)
    await changeText(10)
    const { eventId } = draft(10)
    expect(await log.findHash(hash10)).toBe(10)
    expect(await log.findEventIdAnywhere(eventId)).toBe(10)
    await expect(log.read(10)).rejects.toMatchObject(damaged(10))
    await expect(log.findEventId('a' as never, eventId)).rejects.toMatchObject(damaged(10))
    for (const direction of DIRECTIONS) {
      await expect(page('a', 5, direction, 1)).rejects.toMatchObject(damaged(10))
      await expect(
        page('a', direction === 'forwards' ? 0 : 9, direction, 10),
      ).rejects.toMatchObject(damaged(10))
      const type = typeSequence('x' as never)
      await expect(log.readSequence(type, 10, direction, 5)).rejects.toMatchObject(damaged(10))
      await expect(run(0, COUNT, direction)).rejects.toMatchObject(damaged(10))
      await expect(run(10, 11, direction)).rejects.toMatchObject(damaged(10))
    }
    await close()
  })

  test('events beside one that was changed are served', async () => {
    const { log, page, run, changeText, close } = await open()
    await changeText(10)
    expect(membersOf(await log.read(9))).toMatchObject({ position: 9 })
    // What it links to is the hash, which stayed.
    expect(membersOf(await log.read(11))).toMatchObject({ position: 11 })
    expect(await log.findEventId('a' as never, draft(12).eventId)).toMatchObject({ position: 12 })
    for (const direction of DIRECTIONS) {
      expect(await page('b', direction === 'forwards' ? 0 : 19, direction, 20)).toHaveLength(20)
      expect(await page('a', direction === 'forwards' ? 6 : 19, direction, 14)).toHaveLength(14)
      expect(await page('a', direction === 'forwards' ? 0 : 4, direction, 5)).toHaveLength(5)
      expect(await run(0, 10, direction)).toHaveLength(10)
      expect(await run(11, COUNT, direction)).toHaveLength(29)
    }
    await close()
  })

  test('a text that is no UTF-8 any more is damage, too', async () => {
    const { log, spoilText, close } = await open()
    await spoilText(10)
    await expect(log.read(10)).rejects.toMatchObject({ code: 'log-damaged' })
    expect(membersOf(await log.read(11))).toMatchObject({ position: 11 })
    await close()
  })

  test('pages that end because their events are large are whole, and prove the last of them', async () => {
    const { log, page, run, changeText, close } = await open()
    const body = jsonBody(JSON.stringify('x'.repeat(1.5 * 1024 * 1024)))
    for (let n = 0; n < 7; n++) await log.append(appendTo('large', [draft(COUNT + n, { body })]))
    for (const direction of DIRECTIONS) {
      expect(await page('large', direction === 'forwards' ? 0 : 6, direction, 7)).toHaveLength(
        database.largeInPage,
      )
      expect(await run(COUNT, COUNT + 7, direction)).toHaveLength(7)
    }
    await changeText(COUNT + 4)
    await expect(page('large', 4, 'backwards', 7)).rejects.toMatchObject(damaged(COUNT + 4))
    expect(await page('large', 3, 'backwards', 7)).toHaveLength(database.largeInPage)
    for (const direction of DIRECTIONS) {
      await expect(run(COUNT, COUNT + 7, direction)).rejects.toMatchObject(damaged(COUNT + 4))
    }
    await close()
  })

  test('a hash that was changed, and what was put in the place of another, are refused', async () => {
    const { log, changeText, changeHash, copyText, close } = await open()
    await changeHash(10)
    await expect(log.read(10)).rejects.toMatchObject(damaged(10))
    await expect(log.read(11)).rejects.toMatchObject(damaged(11))
    await copyText(19, 20)
    await expect(log.read(20)).rejects.toMatchObject(damaged(20))
    await changeText(0)
    await expect(log.read(0)).rejects.toMatchObject(damaged(0))
    await close()
  })

  test('a row that was deleted is missed by whoever comes to it', async () => {
    const { log, page, run, remove, close } = await open()
    await remove(10, 11)
    await expect(log.read(10)).rejects.toMatchObject(damaged(10))
    await expect(log.read(11)).rejects.toMatchObject(damaged(11))
    await expect(log.findEventId('b' as never, draft(11).eventId)).rejects.toMatchObject(
      damaged(11),
    )
    for (const direction of DIRECTIONS) {
      await expect(run(0, COUNT, direction)).rejects.toMatchObject(damaged(10))
      await expect(run(10, 11, direction)).rejects.toMatchObject(damaged(10))
      await expect(run(11, 12, direction)).rejects.toMatchObject(damaged(11))
      expect(await run(0, 10, direction)).toHaveLength(10)
      expect(await run(12, COUNT, direction)).toHaveLength(28)
      await expect(page('b', 5, direction, 1)).rejects.toMatchObject(damaged(11))
    }
    expect(membersOf(await log.read(12))).toMatchObject({ position: 12 })
    await close()
  })

  test('a stream does not pass over the version that a deleted row had', async () => {
    const { page, remove, close } = await open()
    await remove(10, 11)
    // The event behind the gap in `a` is whole, and so is the one before it: only its number tells.
    await expect(page('a', 0, 'forwards', 20)).rejects.toMatchObject(damaged(12))
    await expect(page('a', 5, 'forwards', 1)).rejects.toMatchObject(damaged(12))
    await expect(page('a', 19, 'backwards', 20)).rejects.toMatchObject(damaged(8))
    await expect(page('a', 5, 'backwards', 1)).rejects.toMatchObject(damaged(8))
    expect(await page('a', 6, 'forwards', 20)).toHaveLength(14)
    expect(await page('a', 4, 'backwards', 20)).toHaveLength(5)
    expect(await page('a', 100, 'backwards', 14)).toHaveLength(14)
    await close()
  })

  test('rows that are missing at the end are missed, and a log that has ended is no damage', async () => {
    const { log, run, remove, close } = await open()
    expect(await log.read(COUNT)).toBeUndefined()
    expect(await log.read(-1)).toBeUndefined()
    for (const direction of DIRECTIONS) {
      expect(await run(0, COUNT + 5, direction)).toHaveLength(COUNT)
      expect(await run(COUNT, COUNT + 5, direction)).toEqual([])
    }
    await remove(COUNT - 2)
    await expect(log.read(COUNT - 1)).rejects.toMatchObject(damaged(COUNT - 1))
    await expect(run(0, COUNT + 5, 'forwards')).rejects.toMatchObject(damaged(COUNT - 2))
    await expect(run(0, COUNT + 5, 'backwards')).rejects.toMatchObject(damaged(COUNT - 1))
    expect(await log.read(COUNT)).toBeUndefined()
    await close()
  })

  test('what is left of a scavenged event is refused where it was changed', async () => {
    const { log, run, changeText, close } = await open()
    await log.scavenge((_event, position) => position >= 10 && position < 14)
    expect(await run(0, COUNT, 'forwards')).toHaveLength(COUNT)
    expect(await run(0, COUNT, 'backwards')).toHaveLength(COUNT)
    expect(await log.read(11)).toMatchObject({ isScavenged: true })
    await changeText(11)
    await expect(log.read(11)).rejects.toMatchObject(damaged(11))
    await expect(run(0, COUNT, 'forwards')).rejects.toMatchObject(damaged(11))
    expect(await log.read(12)).toMatchObject({ isScavenged: true })
    await close()
  })

  test('an append that repeats a damaged event is refused, and those beside it are not', async () => {
    const { log, changeText, close } = await open()
    await changeText(10)
    // The two that wait for the first one go into the database together.
    const [first, repeated, next] = await Promise.allSettled([
      log.append(appendTo('b', [draft(COUNT + 1)])),
      log.append(appendTo('a', [draft(10)], { retryRule: 'equal-id' })),
      log.append(appendTo('c', [draft(COUNT)])),
    ])
    expect(first).toMatchObject({ status: 'fulfilled' })
    expect(repeated).toMatchObject({ status: 'rejected', reason: damaged(10) })
    expect(next).toMatchObject({ status: 'fulfilled', value: { kind: 'appended' } })
    await close()
  })

  test('content that was mended leaves nothing behind of what was damaged', async () => {
    const { content, spoilContent, countContent, close } = await open()
    const bytes = async function* () {
      yield Buffer.alloc(600_000, 'x')
    }
    const about = { filename: 'x', mediaType: 'text/plain' }
    await content.put(bytes(), about)
    await spoilContent()
    await content.put(bytes(), about)
    expect((await content.verify()).findings).toEqual([])
    expect(await countContent()).toEqual([1, 0, 3])
    await close()
  })
})
