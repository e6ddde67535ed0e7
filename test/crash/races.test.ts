/** Several processes that want the same thing at the same time, with the lock and without it. */
import { mkdirSync, utimesSync } from 'node:fs'
import { expect, test } from 'vitest'
import { randomUuid } from '../../src/kit/random.ts'
import { count, crashRun, scaled, tell } from './crash-run.ts'
import { openLog } from './open-log.ts'
import { findViolations, type Told } from './oracle.ts'
import { newRace, raceForVersions } from './version-race.ts'
import { type Answer, Worker } from './workers.ts'

/** Every other one writes as a server does. */
const start = (count: number, root: string, lock: 'lock' | 'no-lock') =>
  Promise.all(
    Array.from({ length: count }, (_, n) => Worker.start(root, lock, { isLongLived: n % 2 === 0 })),
  )

test('of eight writers that expect the same version, one wins each version', async () => {
  const run = crashRun()
  const root = `${run.folder()}/data`
  const versions = scaled(5000)
  await openLog(root)
  const workers = await start(8, root, 'no-lock')
  await workers[0]?.ask({ id: randomUuid(), stream: 's', pad: 0 })
  const race = newRace()
  await raceForVersions(race, workers, 's', versions)
  await Promise.all(workers.map((worker) => worker.end()))
  const { winners, stored } = race
  count('versions', winners.size)
  tell(`${winners.size} versions, ${stored.length} winners`)
  expect([...winners.values()].every((count) => count === 1)).toBe(true)
  expect(winners.size).toBeGreaterThanOrEqual(versions)
  expect(await findViolations(await openLog(root), { stored, refused: new Set() })).toEqual([])
})

test('an event that is sent again and again, through processes that are killed, is stored once', async () => {
  const run = crashRun()
  const root = `${run.folder()}/data`
  const requests = scaled(25_000)
  await openLog(root)
  const workers = await start(4, root, 'no-lock')
  const stored: Told[] = []
  const sent = new Set<string>()
  let different = 0
  let kills = 0
  const send = async (id: string, stream: string): Promise<Answer[]> => {
    const times = 1 + Math.floor(run.random() * 4)
    const answers = await Promise.all(
      Array.from({ length: times }, () => {
        const worker = workers[Math.floor(run.random() * workers.length)] as Worker
        return worker.ask({ id, stream, pad: 10 })
      }),
    )
    return answers.filter((answer) => answer !== undefined)
  }
  let done = 0
  const client = async () => {
    while (done < requests) {
      done++
      const id = randomUuid()
      sent.add(id)
      const answers = await send(id, `s-${done % 50}`)
      const places = new Set<string>()
      for (const answer of answers) {
        if (answer.kind === 'refused') expect(answer.code).toBe('lock-timeout')
        else if (answer.kind !== 'head') places.add(`${answer.position} ${answer.hash}`)
      }
      if (places.size > 1) different++
      const [place] = places
      if (place === undefined) continue
      const [position = '', hash = ''] = place.split(' ')
      stored.push({ id, position: Number(position), hash })
    }
  }
  const killer = async () => {
    while (done < requests) {
      await new Promise((resolve) => setTimeout(resolve, 100 + run.random() * 400))
      const victim = Math.floor(run.random() * workers.length)
      workers[victim]?.kill()
      workers[victim] = await Worker.start(root, 'no-lock')
      kills++
    }
  }
  await Promise.all([...Array.from({ length: 48 }, client), killer()])
  await Promise.all(workers.map((worker) => worker.end()))
  count('events sent 1 to 4 times', done)
  tell(`${done} events sent 1 to 4 times, ${kills} kills, ${stored.length} answered`)
  expect(different).toBe(0)
  const isKnown = (id: string) => sent.has(id)
  expect(
    await findViolations(await openLog(root), { stored, refused: new Set(), isKnown }),
  ).toEqual([])
})

test('writers that all take over the same old lock lose nothing', async () => {
  const run = crashRun()
  const root = `${run.folder()}/data`
  const { layout } = await openLog(root)
  const workers = await start(8, root, 'lock')
  const stored: Told[] = []
  const rounds = scaled(200)
  for (let round = 0; round < rounds; round++) {
    mkdirSync(layout.lock, { recursive: true })
    const old = Date.now() / 1000 - 10
    utimesSync(layout.lock, old, old)
    await Promise.all(
      workers.map(async (worker) => {
        const id = randomUuid()
        const answer = await worker.ask({ id, stream: `s-${round % 7}`, pad: 50 })
        if (answer?.kind === 'appended') {
          stored.push({ id, position: answer.position, hash: answer.hash })
        } else throw new Error(`Not stored: ${JSON.stringify(answer)}`)
      }),
    )
  }
  await Promise.all(workers.map((worker) => worker.end()))
  count('stampedes', rounds)
  tell(`${rounds} stampedes, ${stored.length} appends`)
  expect(await findViolations(await openLog(root), { stored, refused: new Set() })).toEqual([])
})

test('twenty writers at once all get their turn', async () => {
  const run = crashRun()
  const root = `${run.folder()}/data`
  await openLog(root)
  const workers = await start(20, root, 'lock')
  const stored: Told[] = []
  let slowest = 0
  await Promise.all(
    workers.map(async (worker) => {
      for (let n = 0; n < 20; n++) {
        const id = randomUuid()
        const since = performance.now()
        const answer = await worker.ask({ id, stream: 's', pad: 100 })
        slowest = Math.max(slowest, performance.now() - since)
        if (answer?.kind !== 'appended') throw new Error(JSON.stringify(answer))
        stored.push({ id, position: answer.position, hash: answer.hash })
      }
    }),
  )
  await Promise.all(workers.map((worker) => worker.end()))
  tell(`400 appends of 20 writers, the slowest took ${Math.round(slowest)} ms`)
  const opened = await openLog(root)
  const { counts } = await opened.log.verify()
  // Who has the lock is never overtaken, so that nothing has to be written again.
  expect(counts['voidBytes']).toBe(0)
  expect(await findViolations(opened, { stored, refused: new Set() })).toEqual([])
})
