/** Bodies are removed while others read and write, and while whoever removes them dies at any moment. */
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import { linkedEvents } from '../../src/domain/linked-event.ts'
import type { DropRule } from '../../src/domain/ports.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { syncDisk } from '../../src/storage/file/disk.ts'
import { appendTo, draft, jsonBody } from '../support/drafts.ts'
import { changingCalls } from '../support/fault-disk.ts'
import { armedDisk } from './armed-disk.ts'
import { crashRun, tell } from './crash-run.ts'
import { type OpenLog, openLog } from './open-log.ts'

const TURNS = { segmentBytes: 4000, lock: 'no-lock' } as const

const fromDropped: DropRule = ({ stream }) => stream === 'drop'

const eventOf = (n: number) => ({
  ...draft(n),
  body: jsonBody(JSON.stringify({ n, pad: n % 2 === 0 ? 'secret'.repeat(30) : 'kept'.repeat(10) })),
})

/** Even numbers go to the stream `drop`, odd ones to `keep`; every fifth append is a batch of both kinds' size. */
async function fill({ log }: OpenLog, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    await log.append(appendTo(n % 2 === 0 ? 'drop' : 'keep', [eventOf(n)]))
  }
  await log.append(appendTo('keep', [eventOf(to + 1), eventOf(to + 3), eventOf(to + 5)]))
}

const textsOf = async ({ log }: OpenLog): Promise<Map<string, StoredEvent & { text: string }>> => {
  const texts = new Map<string, StoredEvent & { text: string }>()
  for await (const run of log.readLog(0, Number.MAX_SAFE_INTEGER, 'forwards')) {
    for (const event of run) {
      const json = Buffer.from(event.json)
      texts.set(event.hash, { ...event, json, text: json.toString() })
    }
  }
  return texts
}

/** What differs from `before` other than bodies that were to go. */
async function findLosses(open: OpenLog, before: ReadonlyMap<string, { text: string }>) {
  const problems: string[] = []
  const now = await textsOf(open)
  for (const [hash, { text }] of before) {
    const event = now.get(hash)
    if (!event) problems.push(`gone: ${text.slice(0, 80)}`)
    else if (event.isScavenged ? !text.includes('"stream":"drop"') : event.text !== text) {
      problems.push(`changed: ${event.text.slice(0, 80)}`)
    } else {
      const single = await open.log.read(event.position)
      const isSame = Buffer.from(single?.json ?? []).toString() === event.text
      // The file may have been let go of in between.
      if (!isSame && !(single?.isScavenged && !event.isScavenged)) problems.push('read otherwise')
    }
  }
  for (const { message } of (await open.log.verify()).findings) problems.push(message)
  return problems
}

const secretsIn = (folder: string): number =>
  readdirSync(folder).reduce(
    (sum, name) =>
      sum + (readFileSync(join(folder, name), 'latin1').split('secretsecret').length - 1),
    0,
  )

/** Where a changed byte of the first file of a log is not told as damage. */
async function findUnnoticed(root: string): Promise<number[]> {
  const path = join(root, 'log', '00000001.log')
  const whole = readFileSync(path)
  const isNoticed = async (bytes: Buffer): Promise<boolean> => {
    writeFileSync(path, bytes)
    const { log } = await openLog(root, TURNS)
    const { findings } = await log.verify()
    await log.close()
    return findings.some(({ kind }) => kind === 'damage')
  }
  expect(await isNoticed(whole)).toBe(false)
  const unnoticed: number[] = []
  for (let at = 0; at < whole.length; at += 3) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    if (!(await isNoticed(bytes))) unnoticed.push(at)
  }
  return unnoticed
}

test('a scavenge that dies at any call of the disk loses nothing, and the next one ends it', async () => {
  const run = crashRun()
  const before = join(run.folder(), 'data')
  const first = await openLog(before, TURNS)
  await fill(first, 0, 40)
  const texts = await textsOf(first)
  await first.log.close()
  const bad: string[] = []
  let cases = 0
  for (const code of ['EIO', 'ENOSPC']) {
    for (const mode of ['from-then-on', 'once'] as const) {
      for (let failAt = 1, isMet = true; isMet; failAt++) {
        const root = join(run.folder(), 'data')
        cpSync(before, root, { recursive: true })
        chmodSync(root, 0o700)
        const armed = armedDisk(syncDisk)
        const dying = await openLog(root, { ...TURNS, disk: armed.disk })
        armed.arm({ failAt, code, mode, only: [...changingCalls, 'rename'] })
        const failed = await dying.log.scavenge(fromDropped).then(
          () => undefined,
          (error: unknown) => error,
        )
        isMet = armed.disarm()
        const where = `call ${failAt}, ${code} ${mode}`
        if (failed !== undefined && !(failed instanceof AppError)) bad.push(`${where}: ${failed}`)
        const next = await openLog(root, TURNS)
        for (const problem of await findLosses(next, texts)) bad.push(`${where}: ${problem}`)
        // A sync of the log that failed stops appends until a verification, which has just been.
        await next.log.scavenge(fromDropped)
        for (const problem of await findLosses(next, texts)) bad.push(`${where}, then: ${problem}`)
        for (const problem of await findLosses(dying, texts)) bad.push(`${where}, old: ${problem}`)
        if (secretsIn(join(root, 'log')) > 0) bad.push(`${where}: bodies are still there`)
        await next.log.append(appendTo('keep', [eventOf(901)]))
        await next.log.close()
        await dying.log.close()
        rmSync(root, { recursive: true })
        cases++
      }
    }
  }
  tell(`${cases} scavenges that died`)
  expect(cases).toBeGreaterThan(60)
  expect(bad.slice(0, 20)).toEqual([])
})

test('taking over a scavenged log may die at any call of the disk, and the next one ends it', async () => {
  const run = crashRun()
  const source = await openLog(join(run.folder(), 'data'), TURNS)
  await fill(source, 0, 40)
  await source.log.scavenge(fromDropped)
  const texts = await textsOf(source)
  const { count } = await source.log.head()
  const bad: string[] = []
  let cases = 0
  for (const code of ['EIO', 'ENOSPC']) {
    for (let failAt = 1, isMet = true; isMet; failAt++) {
      const root = join(run.folder(), 'data')
      const armed = armedDisk(syncDisk)
      const dying = await openLog(root, { ...TURNS, disk: armed.disk })
      await dying.log.importEvents(linkedEvents(source.log, 5))
      armed.arm({ failAt, code, mode: 'from-then-on', only: [...changingCalls, 'rename'] })
      await dying.log.importEvents(linkedEvents(source.log, count)).catch(() => {})
      isMet = armed.disarm()
      await dying.log.close()
      const next = await openLog(root, TURNS)
      // A sync of the log that failed stops appends until a verification.
      const { findings } = await next.log.verify()
      for (const { message, kind } of findings) {
        if (kind === 'damage') bad.push(`call ${failAt}, ${code}: ${message}`)
      }
      await next.log.importEvents(linkedEvents(source.log, count))
      if (failAt % 2 === 0) await next.log.reindex(() => {})
      for (const problem of await findLosses(next, texts)) {
        bad.push(`call ${failAt}, ${code}: ${problem}`)
      }
      const { counts } = await next.log.verify()
      if (counts['scavenged'] !== 20) bad.push(`call ${failAt}: ${counts['scavenged']} scavenged`)
      await next.log.close()
      rmSync(root, { recursive: true })
      cases++
    }
  }
  await source.log.close()
  tell(`${cases} imports that died`)
  expect(cases).toBeGreaterThan(10)
  expect(bad.slice(0, 20)).toEqual([])
})

test('a changed byte of removals that were taken over is found, wherever it is', async () => {
  const run = crashRun()
  const source = await openLog(join(run.folder(), 'data'), TURNS)
  await fill(source, 0, 8)
  await source.log.scavenge(fromDropped)
  const { count } = await source.log.head()
  const root = join(run.folder(), 'copy')
  const target = await openLog(root, { ...TURNS, segmentBytes: 1 << 20 })
  await target.log.importEvents(linkedEvents(source.log, count))
  await target.log.close()
  await source.log.close()
  expect(await findUnnoticed(root)).toEqual([])
})

test('whoever reads and writes meanwhile notices nothing, nor with an index built anew', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  const [one, other] = [await openLog(root, TURNS), await openLog(root, TURNS)]
  await fill(one, 0, 60)
  const texts = await textsOf(one)
  expect(await findLosses(other, texts)).toEqual([])
  const report = await one.log.scavenge(fromDropped)
  expect(report.removed).toBe(30)
  expect(secretsIn(join(root, 'log'))).toBe(0)
  expect(await findLosses(other, texts)).toEqual([])
  await fill(other, 100, 140)
  // Whoever has an old file open may still be told what was removed.
  const more = new Map([...(await textsOf(one)), ...texts])
  expect(more.size).toBe(texts.size + 43)
  await one.log.reindex(() => {})
  for (const open of [one, other, await openLog(root, TURNS)]) {
    expect(await findLosses(open, more)).toEqual([])
    const members = await open.log.readSequence(streamSequence('drop' as never), 0, 'forwards', 99)
    expect(members.map(({ number }) => number)).toEqual([...Array(50).keys()])
    await open.log.scavenge(fromDropped)
    await open.log.close()
  }
})

test('a changed byte of a scavenged file is found, wherever it is', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  const open = await openLog(root, TURNS)
  await fill(open, 0, 30)
  await open.log.scavenge(fromDropped)
  await open.log.close()
  expect(await findUnnoticed(root)).toEqual([])
})

test('a file that is missing or has lost its end is told of, and left as it is', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  const open = await openLog(root, TURNS)
  await fill(open, 0, 30)
  const path = join(root, 'log', '00000001.log')
  const bytes = readFileSync(path)
  // The seal, and the last byte of the commit before it.
  const seal = bytes.lastIndexOf('#seal')
  bytes.fill('x', seal - 2, seal - 1)
  bytes.fill('x', seal, bytes.length - 1)
  writeFileSync(path, bytes)
  await expect(open.log.scavenge(fromDropped)).rejects.toMatchObject({ code: 'log-damaged' })
  expect(readFileSync(path).equals(bytes)).toBe(true)
  rmSync(path)
  await expect(open.log.scavenge(fromDropped)).rejects.toMatchObject({ code: 'log-damaged' })
  await open.log.close()
})

test('two scavenges at once remove what each of them is to remove, and bring nothing back', async () => {
  const run = crashRun()
  const root = join(run.folder(), 'data')
  const [one, other] = [
    await openLog(root, { ...TURNS, lock: 'lock' }),
    await openLog(root, { ...TURNS, lock: 'lock' }),
  ]
  await fill(one, 0, 60)
  const texts = await textsOf(one)
  await Promise.all([one.log.scavenge(fromDropped), other.log.scavenge(fromDropped)])
  expect(secretsIn(join(root, 'log'))).toBe(0)
  expect(await findLosses(one, texts)).toEqual([])
  expect((await other.log.verify()).counts['scavenged']).toBe(30)
  await one.log.close()
  await other.log.close()
})
