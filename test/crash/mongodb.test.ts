/** A MongoDB store under what happens to databases: many processes, killed writers, cut connections. */
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import type { Store } from '../../src/domain/ports.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { startCutOff } from '../support/cut-off.ts'
import { appendTo, draft } from '../support/drafts.ts'
import {
  inMongo,
  type MongoPlace,
  makeMongoPlace,
  mongoUrl,
  openMongoPlace,
} from '../support/mongodb-store.ts'
import { collect, handClock, verifyStore } from '../support/store.ts'
import { appendFromFour, startWriter, strikeWhileServing } from './database-runs.ts'

const serverUrl = mongoUrl() ?? ''

describe.skipIf(serverUrl === '')('a store in MongoDB', () => {
  const places: MongoPlace[] = []
  const stores: Store[] = []
  const makePlace = async () => {
    const place = await makeMongoPlace(serverUrl)
    places.push(place)
    return place
  }
  const openStore = async (place: MongoPlace) => {
    const { store } = await openMongoPlace(place, handClock())
    stores.push(store)
    return store
  }
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close()
    for (const place of places.splice(0)) await place.remove()
  })

  test('that four processes append to has one chain, and a follower misses nothing', async () => {
    const place = await makePlace()
    await appendFromFour(await openStore(place), place.url)
  })

  test('whose writers are killed again and again is whole, and has what they acknowledged', async () => {
    const place = await makePlace()
    const acknowledged: { id: number; position: number }[] = []
    for (let round = 0; round < 12; round++) {
      const writer = startWriter(place.url, round + 1, 1_000_000)
      let text = ''
      const ended = once(writer, 'close')
      await new Promise<void>((resolve) => {
        writer.stdout?.on('data', (bytes) => {
          text += bytes
          if (text.split('\n').length > 5 + round) resolve()
        })
        writer.once('close', () => resolve())
      })
      writer.kill('SIGKILL')
      await ended
      const lines = text.slice(0, text.lastIndexOf('\n')).split('\n')
      acknowledged.push(
        ...lines.map((line) => JSON.parse(line)).filter((line) => 'position' in line),
      )
    }
    const store = await openStore(place)
    const { count } = await store.log.head()
    expect(acknowledged.length).toBeGreaterThan(50)
    expect(count).toBeGreaterThanOrEqual(acknowledged.length)
    for (const { id, position } of acknowledged) {
      const event = await store.log.read(position)
      expect(Buffer.from(event?.json ?? []).toString()).toContain(draft(id).eventId)
    }
    await verifyStore(store)
  })

  /** What a writer leaves behind that dies after its commit: the first so many events have documents. */
  const leaveBehind = async (written: number) => {
    const place = await makePlace()
    const before = await openStore(place)
    await before.log.append(appendTo('a', [draft(1)]))
    const { events } = await before.log.append(appendTo('a', [draft(2), draft(3), draft(4)]))
    const first = events[0]?.position ?? -1
    await inMongo(place.url, async (client) => {
      const documents = client.db().collection<{ _id: number }>('apie_event')
      const commits = client.db().collection<{ _id: number }>('apie_commit')
      const own = await documents.find({ _id: { $gte: first } }, { sort: { _id: 1 } }).toArray()
      expect(own.length).toBe(3)
      await documents.deleteMany({ _id: { $gte: first + written } })
      await commits.updateOne({ _id: first }, { $set: { events: own } })
    })
    return { place, store: await openStore(place) }
  }
  const numbersIn = async (store: Store) =>
    (await store.log.readSequence(streamSequence('a'), 0, 'forwards', 10)).map(
      ({ number }) => number,
    )

  const questions: readonly {
    name: string
    ask: (store: Store) => Promise<unknown>
    answer: unknown
  }[] = [
    { name: 'the head', ask: async ({ log }) => (await log.head()).count, answer: 4 },
    { name: 'an event', ask: async ({ log }) => (await log.read(3))?.position, answer: 3 },
    {
      name: 'an id',
      ask: ({ log }) => log.findEventIdAnywhere(draft(4).eventId),
      answer: 3,
    },
    { name: 'a page', ask: numbersIn, answer: [0, 1, 2, 3] },
    {
      name: 'the last number',
      ask: ({ log }) => log.sequenceHead(streamSequence('a')),
      answer: { number: 3, position: 3 },
    },
    {
      name: 'the log',
      ask: async ({ log }) =>
        (await collect(log.readLog(0, 4, 'backwards'))).flat().map(({ position }) => position),
      answer: [3, 2, 1, 0],
    },
    {
      name: 'the same append',
      ask: async ({ log }) =>
        (await log.append(appendTo('a', [draft(2), draft(3), draft(4)]))).kind,
      answer: 'already-there',
    },
    {
      name: 'another append',
      ask: async ({ log }) => (await log.append(appendTo('a', [draft(5)]))).events[0]?.position,
      answer: 4,
    },
  ]
  const cases = [0, 1, 2].flatMap((written) => questions.map((asked) => ({ ...asked, written })))

  test.each(cases)(
    'whose writer died with $written of 3 events written answers $name as if it had not',
    async ({ written, ask, answer }) => {
      const { store } = await leaveBehind(written)
      expect(await ask(store)).toEqual(answer)
      await verifyStore(store)
    },
  )

  test('whose dead writer is finished by eight readers at once is whole', async () => {
    const { place } = await leaveBehind(1)
    const readers = await Promise.all(Array.from({ length: 8 }, () => openStore(place)))
    expect(await Promise.all(readers.map(numbersIn))).toEqual(readers.map(() => [0, 1, 2, 3]))
    await verifyStore(readers[0] as Store)
  })

  test('where a commit is missing its events is damaged, and says so', async () => {
    const { place, store } = await leaveBehind(1)
    await inMongo(place.url, (client) =>
      client
        .db()
        .collection('apie_commit')
        .updateMany({}, { $unset: { events: '' } }),
    )
    await expect(store.log.head()).rejects.toMatchObject({ code: 'log-damaged' })
  })

  test('refuses a batch that no document holds, and takes the next one', async () => {
    const store = await openStore(await makePlace())
    const large = Buffer.from('"'.repeat(9 << 20))
    const body = { kind: 'bytes', mediaType: 'text/plain', bytes: large } as const
    const refused = store.log.append(appendTo('a', [{ ...draft(1), body }]))
    const next = store.log.append(appendTo('a', [draft(2)]))
    await expect(refused).rejects.toMatchObject({ code: 'body-too-large' })
    expect((await next).events[0]?.position).toBe(0)
    await verifyStore(store)
  })

  test('that nobody has migrated says what to do', async () => {
    const place = await makePlace()
    await place.remove()
    await expect(openMongoPlace(place, handClock())).rejects.toMatchObject({
      code: 'format-unknown',
    })
  })

  const strikes = ['whose connections are cut', 'that cannot be reached for a while'] as const

  test.each(strikes)(
    '%s loses nothing, and answers 503 where it cannot be found out',
    async (name) => {
      const place = await makePlace()
      const { hostname, port } = new URL(place.url)
      const way = await startCutOff(hostname, Number(port || 27_017))
      const url = place.url.replace(/(:\/\/(?:[^@/]*@)?)[^/]*/, `$1127.0.0.1:${way.port}`)
      const direct = url.includes('directConnection=') ? '' : 'directConnection=true&'
      const options = `${direct}serverSelectionTimeoutMS=300`
      const strikeUrl = `${url}${url.includes('?') ? '&' : '?'}${options}`
      const open = async () => (await openMongoPlace(place, handClock())).store
      const statuses = await strikeWhileServing(strikeUrl, open, async () => {
        if (name === strikes[0]) {
          for (let n = 0; n < 20; n++) {
            way.cut()
            await new Promise((resolve) => setImmediate(resolve))
          }
          return async () => {}
        }
        await way.shut()
        // Until somebody has noticed.
        await new Promise((resolve) => setTimeout(resolve, 500))
        return () => way.open()
      })
      await way.shut()
      // A cut connection need not show: the program finds out what became of it.
      if (name === strikes[1]) expect(statuses).toContain(503)
    },
  )
})
