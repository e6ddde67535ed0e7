/** The file engine within one process, without HTTP: how much of each kind of work it does in a second. */
import fs from 'node:fs'
import { streamSequence } from '../src/domain/sequence.ts'
import type { FileStore } from '../src/storage/file/engine.ts'
import { appendMany, copyOf, filledStore, openStore } from './filled-store.ts'
import type { Measurement, Row } from './measurement.ts'

const PAGE = 20

export const engine: Measurement = {
  name: 'engine',
  title: 'The file engine in one process',
  async run({ events, seconds }) {
    const copy = copyOf(await filledStore(events))
    const store = await openStore(copy)
    try {
      return [
        ...(await appends(store, seconds)),
        ...(await pages(store)),
        ...(await whole(store, events)),
      ]
    } finally {
      await store.close()
      fs.rmSync(copy, { recursive: true })
    }
  },
}

async function appends(store: FileStore, seconds: number): Promise<Row[]> {
  const one = await appendMany(store, 0, 200 * seconds, 1, 2)
  const many = await appendMany(store, 0, 2000 * seconds, 64, 3)
  return [
    rate('appends, one at a time', one.perSecond),
    rate('appends, 64 at a time', many.perSecond),
    {
      what: '64 at a time to one at a time',
      value: many.perSecond / one.perSecond,
      unit: '×',
    },
  ]
}

async function pages(store: FileStore): Promise<Row[]> {
  const sequence = streamSequence('order-7')
  const last = (await store.log.sequenceHead(sequence))?.number ?? 0
  const rows: Row[] = []
  for (const [place, from] of [
    ['head', last - PAGE + 1],
    ['middle', Math.floor(last / 2)],
    ['start', 0],
  ] as const) {
    const count = 500
    const start = performance.now()
    for (let n = 0; n < count; n++) await store.log.readSequence(sequence, from, 'forwards', PAGE)
    rows.push(rate(`pages of ${PAGE} events, ${place} of a stream`, perSecond(count, start)))
  }
  return rows
}

async function whole(store: FileStore, events: number): Promise<Row[]> {
  const read = async (direction: 'forwards' | 'backwards'): Promise<number> => {
    const start = performance.now()
    let count = 0
    for await (const run of store.log.readLog(0, events, direction)) count += run.length
    return perSecond(count, start)
  }
  const forwards = await read('forwards')
  const backwards = await read('backwards')
  const verifyStart = performance.now()
  const { counts } = await store.log.verify()
  const verified = perSecond(counts['events'] ?? 0, verifyStart)
  const reindexStart = performance.now()
  await store.log.reindex(() => {})
  return [
    rate('events read, forwards', forwards),
    rate('events read, backwards', backwards),
    { what: 'backwards to forwards', value: backwards / forwards, unit: '×' },
    rate('events verified', verified),
    rate('events indexed anew', perSecond(events, reindexStart)),
  ]
}

function perSecond(count: number, start: number): number {
  return (count / (performance.now() - start)) * 1000
}

function rate(what: string, value: number): Row {
  return { what, value, unit: '/s' }
}
