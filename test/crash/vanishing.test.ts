/**
 * Readers and writers that live long, while other writers are killed, files of the index are removed and the
 * index is built anew.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { parseStoredEvent } from '../../src/domain/event.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { randomUuid } from '../../src/kit/random.ts'
import { asyncDisk } from '../../src/storage/file/disk.ts'
import { crashRun, type Random, scaled, tell } from './crash-run.ts'
import { type OpenLog, openLog } from './open-log.ts'
import { findViolations, type Told } from './oracle.ts'
import { Worker } from './workers.ts'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

type Seen = { readonly hashes: string[]; readonly problems: string[]; looks: number }

/** Follows the log as a client does that asks again and again for what is new. */
async function follow({ log }: OpenLog, isOver: () => boolean): Promise<Seen> {
  const seen: Seen = { hashes: [], problems: [], looks: 0 }
  for (let isLast = false; !isLast; ) {
    isLast = isOver()
    seen.looks++
    try {
      const { count } = await log.head()
      if (count < seen.hashes.length) seen.problems.push(`${count} behind ${seen.hashes.length}`)
      for await (const run of log.readLog(seen.hashes.length, count, 'forwards')) {
        for (const event of run) {
          if (event.position !== seen.hashes.length) seen.problems.push(`gap: ${event.position}`)
          parseStoredEvent(event)
          seen.hashes.push(event.hash)
        }
      }
      const head = await log.sequenceHead(streamSequence('s-1'))
      const [last] = head
        ? await log.readSequence(streamSequence('s-1'), head.number, 'backwards', 1)
        : []
      if (head && last?.event.position !== head.position) seen.problems.push('wrong end of s-1')
    } catch (error) {
      const isAllowed = error instanceof AppError && error.code === 'index-behind'
      if (!isAllowed) seen.problems.push(String((error as Error).stack))
    }
    await pause(5)
  }
  return seen
}

/** Takes away a part of the index, or all of it. */
function removeSome(folder: string, random: Random): void {
  const names = existsSync(folder) ? readdirSync(folder) : []
  const generation = names[Math.floor(random() * names.length)]
  const target =
    ['entries', 'links', 'hashes', 'ids', 'repeats', 'sequences', ''][Math.floor(random() * 7)] ??
    ''
  const path = random() < 0.2 ? folder : join(folder, generation ?? '', target)
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // Somebody made a file in it meanwhile.
  }
}

test('readers see a growing log, and writers go on, whatever becomes of the index', async () => {
  const run = crashRun()
  const root = `${run.folder()}/data`
  const opened = await openLog(root)
  const workers = await Promise.all(Array.from({ length: 4 }, () => Worker.start(root, 'lock')))
  const stored: Told[] = []
  const refusals = new Map<string, number>()
  let isOver = false
  const write = async (slot: number) => {
    for (let n = 0; !isOver; n++) {
      const id = randomUuid()
      const answer = await workers[slot]?.ask({ id, stream: `s-${n % 3}`, pad: n % 2000 })
      if (answer === undefined) continue
      if (answer.kind === 'refused') {
        refusals.set(answer.code, (refusals.get(answer.code) ?? 0) + 1)
      } else if (answer.kind !== 'head')
        stored.push({ id, position: answer.position, hash: answer.hash })
    }
  }
  const readers = await Promise.all(
    Array.from({ length: 3 }, () => openLog(root, { disk: asyncDisk })),
  )
  const following = readers.map((reader) => follow(reader, () => isOver))
  const writing = workers.map((_, slot) => write(slot))
  let [kills, removals, rebuilds] = [0, 0, 0]
  const until = performance.now() + scaled(25_000)
  while (performance.now() < until) {
    await pause(run.random() * 150)
    const chance = run.random()
    if (chance < 0.4) {
      const victim = Math.floor(run.random() * (workers.length - 1))
      workers[victim]?.kill()
      workers[victim] = await Worker.start(root, 'lock')
      kills++
    } else if (chance < 0.8) {
      removeSome(opened.layout.index, run.random)
      removals++
    } else {
      const other = await openLog(root)
      // What it builds may be taken from it as well.
      await other.log.reindex(() => {}).catch(() => {})
      await other.log.close()
      rebuilds++
    }
  }
  isOver = true
  await Promise.all(writing)
  const seen = await Promise.all(following)
  for (const worker of workers) {
    const answer = await worker.ask({ id: randomUuid(), stream: 'last', pad: 1 })
    expect(answer?.kind).toBe('appended')
  }
  await Promise.all(workers.map((worker) => worker.end()))
  tell(
    `${kills} kills, ${removals} removals, ${rebuilds} rebuilds, ${stored.length} appends, ` +
      `${seen.reduce((sum, { looks }) => sum + looks, 0)} looks of three readers`,
  )
  const last = await openLog(root)
  for (const { hashes, problems } of seen) {
    expect(problems.slice(0, 5)).toEqual([])
    const { hash } = (await last.log.read(hashes.length - 1)) ?? { hash: '' }
    expect(hashes.at(-1)).toBe(hash)
  }
  expect([...refusals.keys()].filter((code) => code !== 'index-behind')).toEqual([])
  expect(await findViolations(last, { stored, refused: new Set() })).toEqual([])
  for (const { log } of [...readers, last, opened]) await log.close()
})
