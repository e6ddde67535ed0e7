/**
 * What must hold of a store in PostgreSQL whose server is killed again and again, also while it recovers, and
 * whose processes are.
 */
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import type { EventId } from '../../src/domain/event.ts'
import type { ContentInfo, DropRule, Store, StoredRecord } from '../../src/domain/ports.ts'
import { randomUuid } from '../../src/kit/random.ts'
import { sha256Hex } from '../../src/kit/sha256.ts'
import { appendTo, draft, jsonBody, textOf } from '../support/drafts.ts'
import { postgresPrograms } from '../support/postgres-cluster.ts'
import { makePostgresPlace, openPostgresPlace } from '../support/postgres-store.ts'
import { verifyStore } from '../support/store.ts'
import { crashRun, pick, type Random, scaled, tell } from './crash-run.ts'
import { follow, idsOf } from './database-runs.ts'
import { askOnce, type Histories, type Silence, STEPS, streamsOf } from './histories.ts'
import { isLinear } from './linear.ts'
import { findViolations, type Told } from './oracle.ts'
import { ownCluster } from './own-cluster.ts'
import { newRace, raceForVersions } from './version-race.ts'
import { Worker } from './workers.ts'

/** What a database that is away may be answered with. */
const AWAY = ['storage-unavailable', 'outcome-unknown']
const isAway = (code: string): boolean => AWAY.includes(code)
const countIn = (record?: StoredRecord): number =>
  (record?.value as { n: number } | undefined)?.n ?? -1
const clock = { now: () => Date.now() }

describe.skipIf(postgresPrograms() === undefined)('a store in PostgreSQL', () => {
  const its = ownCluster()
  const open = async (place = its.place): Promise<Store> =>
    (await openPostgresPlace(place, clock)).store

  /** Kills the server until `isOver`; every other time once or twice more while it recovers. */
  async function strike(random: Random, isOver: () => boolean): Promise<number> {
    let kills = 0
    while (!isOver()) {
      await setTimeout(300 + random() * 700)
      await its.cluster.kill()
      const started = its.cluster.start()
      for (let again = Math.floor(random() * 3); again > 0; again--) {
        await setTimeout(random() * 60)
        await its.cluster.kill()
        kills++
      }
      await started
      kills++
    }
    return kills
  }

  /** Does it until the database is there to do it. */
  async function insist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof AppError) || !isAway(error.code)) throw error
        await setTimeout(20)
      }
    }
  }

  test('stores once what is sent again and again, and four readers see it grow', async () => {
    const { random } = crashRun()
    const requests = scaled(500)
    const workers = Array.from({ length: 4 }, () => Worker.onDatabase(its.place.url))
    const readers = await Promise.all(Array.from({ length: 4 }, open))
    const seen: string[][] = readers.map(() => [])
    const stored: Told[] = []
    const sent = new Set<string>()
    let [done, different, processKills] = [0, 0, 0]
    const client = async () => {
      while (done < requests) {
        const stream = `s-${done++ % 50}`
        const id = randomUuid()
        sent.add(id)
        for (let isStored = false; !isStored; ) {
          const times = 1 + Math.floor(random() * 4)
          const answers = await Promise.all(
            Array.from({ length: times }, () => pick(random, workers).ask({ id, stream, pad: 10 })),
          )
          const places = new Map<string, Told>()
          for (const answer of answers) {
            if (answer?.kind === 'refused') expect(AWAY).toContain(answer.code)
            else if (answer && answer.kind !== 'head') {
              places.set(`${answer.position} ${answer.hash}`, { ...answer, id })
            }
          }
          if (places.size > 1) different++
          stored.push(...places.values())
          isStored = places.size > 0
          if (!isStored) await setTimeout(20)
        }
      }
    }
    const killer = async () => {
      while (done < requests) {
        await setTimeout(500 + random() * 1000)
        const victim = Math.floor(random() * workers.length)
        workers[victim]?.kill()
        workers[victim] = Worker.onDatabase(its.place.url)
        processKills++
      }
    }
    let isWritten = false
    const reading = readers.map((reader, at) => {
      const hashes = seen[at] as string[]
      const until = () => (isWritten ? requests : hashes.length + 1)
      return insist(() => follow(reader, hashes, new AbortController().signal, until))
    })
    const striking = strike(random, () => done >= requests)
    await Promise.all([...Array.from({ length: 24 }, client), killer()])
    isWritten = true
    const kills = await striking
    const log = await open()
    // Wakes those who wait for more than there will be.
    await log.log.append(appendTo('end', [draft(1)]))
    await Promise.all(reading)
    await Promise.all(workers.map((worker) => worker.end()))
    tell(
      `${done} events sent 1 to 4 times, ${kills} kills of the server, ${processKills} of processes`,
    )
    expect(different).toBe(0)
    const known = (id: string) => sent.has(id) || id === draft(1).eventId
    expect(await findViolations(log, { stored, refused: new Set(), isKnown: known })).toEqual([])
    const hashes: string[] = []
    for await (const run of log.log.readLog(0, Number.MAX_SAFE_INTEGER, 'forwards')) {
      hashes.push(...run.map(({ hash }) => hash))
    }
    for (const some of seen) expect(some).toEqual(hashes.slice(0, some.length))
    for (const reader of readers) await reader.close()
    await log.close()
  })

  test('gives each version of a stream to one of eight processes', async () => {
    const { random } = crashRun()
    const versions = scaled(200)
    const stream = 'raced'
    const workers = Array.from({ length: 8 }, () => Worker.onDatabase(its.place.url))
    const log = await open()
    await log.log.append(appendTo(stream, [{ ...draft(0), eventId: randomUuid() as EventId }]))
    const race = newRace()
    const striking = strike(random, () => race.next >= versions)
    await raceForVersions(race, workers, stream, versions, isAway)
    const kills = await striking
    await Promise.all(workers.map((worker) => worker.end()))
    const { winners, stored } = race
    tell(`${winners.size} versions, ${kills} kills of the server`)
    expect([...winners.values()].filter((count) => count !== 1)).toEqual([])
    expect(winners.size).toBeGreaterThanOrEqual(versions)
    expect(await findViolations(log, { stored, refused: new Set() })).toEqual([])
    await log.close()
  })

  test('answers five processes as if there were one client', async () => {
    const { random } = crashRun()
    const histories = scaled(4)
    const workers = Array.from({ length: 5 }, () => Worker.onDatabase(its.place.url))
    const all: Histories = { steps: new Map(), stored: [] }
    const silence: Silence = (answer) => {
      if (answer?.kind !== 'refused' || !isAway(answer.code)) return undefined
      return answer.code === 'outcome-unknown' ? 'unknown' : 'not done'
    }
    let isOver = false
    const striking = strike(random, () => isOver)
    for (let history = 0; history < histories; history++) {
      let left = STEPS
      const streams = streamsOf(history)
      const one = async (worker: Worker) => {
        while (left-- > 0) await askOnce(worker, streams, random, all, silence)
      }
      await Promise.all(workers.map(one))
    }
    isOver = true
    const kills = await striking
    await Promise.all(workers.map((worker) => worker.end()))
    tell(`${histories} histories of ${STEPS} steps, ${kills} kills of the server`)
    const bad = [...all.steps].filter(([, steps]) => !isLinear(steps))
    expect(bad.map(([stream]) => stream)).toEqual([])
  })

  test('keeps content whole or not at all, and records old or new', async () => {
    const { random } = crashRun()
    const rounds = scaled(15)
    const stores = await Promise.all(Array.from({ length: 4 }, open))
    const [first = await open()] = stores
    const infos: ContentInfo[] = []
    let isOver = false
    const putAll = async (round: number) => {
      const bytes = Buffer.alloc(600_000, `content ${round}. `)
      const pieces = async function* () {
        for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
      }
      const about = { filename: `${round}.txt`, mediaType: 'text/plain' }
      const made = await Promise.all(
        stores.map(({ content }) => insist(() => content.put(pieces(), about))),
      )
      expect(new Set(made.map(({ hash }) => hash))).toEqual(new Set([sha256Hex(bytes)]))
      infos.push(...made.slice(0, 1))
    }
    let written = 0
    await first.records.write('crash', 'one', { n: 0 }, 'absent')
    const writer = async () => {
      while (!isOver) {
        const known = await insist(() => first.records.read('crash', 'one'))
        const n = countIn(known)
        expect([written, written + 1]).toContain(n)
        written = n
        await first.records
          .write('crash', 'one', { n: n + 1 }, known?.revision ?? 0)
          .catch((error: AppError) => expect(AWAY).toContain(error.code))
      }
    }
    const reader = async (store: Store) => {
      let last = 0
      while (!isOver) {
        const found = await insist(() => store.records.read('crash', 'one'))
        const n = countIn(found)
        expect(n).toBeGreaterThanOrEqual(last)
        last = n
      }
    }
    const others = [writer(), ...stores.slice(1).map(reader)]
    const striking = strike(random, () => isOver)
    for (let round = 0; round < rounds; round++) await putAll(round)
    isOver = true
    const kills = await striking
    await Promise.all(others)
    tell(`${rounds} blobs put by four, ${written} writes of a record, ${kills} kills of the server`)
    for (const { hash, size } of infos) expect((await first.content.info(hash))?.size).toBe(size)
    await verifyStore(first)
    for (const store of stores) await store.close()
  })

  test('loses no event to scavenging, which goes on where it was killed', async () => {
    const { random } = crashRun()
    const place = await makePostgresPlace(its.cluster.url)
    const events = scaled(20_000)
    const [store, other] = [await open(place), await open(place)]
    const body = jsonBody(`"${'secret'.repeat(30)}"`)
    for (let n = 0; n < events; n += 500) {
      const batch = Array.from({ length: 500 }, (_, at) => ({ ...draft(n + at), body }))
      await store.log.append(appendTo(n % 1000 === 0 ? 'drop' : 'keep', batch))
    }
    const textsOf = async () => {
      const texts = new Map<string, { text: string; isScavenged: boolean }>()
      for await (const run of other.log.readLog(0, Number.MAX_SAFE_INTEGER, 'forwards')) {
        for (const event of run) {
          texts.set(event.hash, {
            text: textOf(event) ?? '',
            isScavenged: event.isScavenged ?? false,
          })
        }
      }
      return texts
    }
    const before = await textsOf()
    let looked = 0
    const drop: DropRule = ({ stream }) => {
      looked++
      return stream === 'drop'
    }
    let isDone = false
    let added = 0
    const writer = async () => {
      while (!isDone) {
        const id = randomUuid() as EventId
        await insist(() => store.log.append(appendTo('keep', [{ ...draft(0), eventId: id }])))
        added++
      }
    }
    const writing = writer()
    let deaths = 0
    while (!isDone) {
      const from = looked
      const run = store.log.scavenge(drop).then(
        () => true,
        (error: AppError) => {
          expect(AWAY).toContain(error.code)
          return false
        },
      )
      if (deaths < scaled(4)) {
        const until = from + random() * 6000
        while (looked < until && looked < from + events) await setTimeout(1)
        await its.cluster.kill()
        await its.cluster.start()
        deaths++
      }
      isDone = await run
      const now = await insist(textsOf)
      for (const [hash, { text }] of before) {
        const event = now.get(hash)
        const isRight = event?.isScavenged ? text.includes('"stream":"drop"') : event?.text === text
        if (!isRight) throw new Error(`changed: ${event?.text ?? 'gone'}`)
      }
      expect((await insist(() => other.log.verify())).findings).toEqual([])
    }
    await writing
    const { counts } = await other.log.verify()
    tell(`${counts['scavenged']} bodies removed with ${deaths} deaths, ${added} appends meanwhile`)
    expect(counts['scavenged']).toBe(events / 2)
    expect((await idsOf(other)).size).toBe((await other.log.head()).count)
    await store.close()
    await other.close()
  })
})
