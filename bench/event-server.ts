/**
 * The event server in one process: what a page costs a consumer that is far behind in a long stream of many
 * names, against one at the start of a short stream; and what an acknowledgement costs, against an append.
 */
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { readSettings } from '../src/config.ts'
import { parseEventId, parseEventType } from '../src/domain/event.ts'
import { parseStreamName } from '../src/domain/stream-name.ts'
import type { JsonText } from '../src/kit/json-text.ts'
import { openApp } from '../src/wire.ts'
import type { Send } from '../test/gateway/corpus.ts'
import { sendTo } from '../test/support/app-send.ts'
import { requestBodyOf } from './events.ts'
import { openStore } from './filled-store.ts'
import { type Measurement, median, type Row, say } from './measurement.ts'

const NAMES = 50
const PAGE = 100
/** Events of the short stream: one page of each name. */
const SHORT = NAMES * PAGE
const BATCH = 500
const CONSUMER = '00000000-0000-4000-8000-000000000001'

export const eventServer: Measurement = {
  name: 'event-server',
  title: 'The event server, in one process',
  async run({ events, runs }) {
    const folder = fs.mkdtempSync(join(os.tmpdir(), 'apie-bench-event-server-'))
    try {
      const short = await filled(join(folder, 'short'), SHORT)
      say(`  filling a stream with ${events} events`)
      const long = await filled(join(folder, 'long'), events)
      try {
        return [
          ...(await pages(short.send, long.send, events, runs)),
          ...(await acknowledgements(long.send, runs)),
        ]
      } finally {
        await short.close()
        await long.close()
      }
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  },
}

type Opened = { readonly send: Send; close(): Promise<void> }

/** An app on a store of one stream, in which the names take turns. */
async function filled(data: string, events: number): Promise<Opened> {
  const store = await openStore(data)
  for (let from = 0; from < events; from += BATCH) {
    await store.log.append({
      stream: parseStreamName('orders'),
      expectedVersion: { kind: 'any' },
      retryRule: 'equal-content',
      createdBy: 'bench',
      events: Array.from({ length: BATCH }, (_, at) => draft(from + at)),
    })
  }
  await store.close()
  const settings = readSettings({
    options: { data, store: `file:${data}`, anonymous: 'admin' },
  })
  const { app, close } = await openApp(settings, 'many-requests')
  return { send: sendTo(app), close }
}

function draft(n: number) {
  const name = `name-${n % NAMES}`
  const text =
    `{"event":{"name":"${name}","version":1},"system":{"id":"SHOP","name":"Shop",` +
    '"time":"2026-01-31 12:00:00","timezone":"Europe/Berlin"},' +
    `"trigger":{"type":"manual","name":"bench"},"payload":{"order":${n}}}`
  return {
    eventId: parseEventId(`00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`),
    eventType: parseEventType(name),
    body: { kind: 'json', text: text as JsonText } as const,
  }
}

async function pages(short: Send, long: Send, events: number, runs: number): Promise<Row[]> {
  const ofName = events / NAMES
  const places = [
    { name: 'short', send: short, offset: 0 },
    { name: 'start', send: long, offset: 0 },
    { name: 'behind', send: long, offset: Math.floor(ofName / 10) },
    { name: 'head', send: long, offset: ofName - PAGE },
  ]
  const times = new Map<string, number[]>(places.map(({ name }) => [name, []]))
  for (let run = 0; run < runs * 3; run++) {
    for (const { name, send, offset } of places) {
      // Names and consumers change, so that no page is read twice.
      await change(send, `name-${run % NAMES}`, offset)
      const taken = await timed(() => readPage(send, `name-${run % NAMES}`))
      times.get(name)?.push(taken)
    }
  }
  const of = (name: string) => median(times.get(name) ?? [])
  const row = (name: 'start' | 'behind' | 'head'): Row => ({
    what: `the same of ${events} events, ${PLACES[name]}`,
    value: of(name) / of('short'),
    unit: '×',
    note: 'of the short stream, whose index is all in memory',
  })
  return [
    { what: `next ${PAGE} of one name, short stream`, value: of('short'), unit: 'ms' },
    row('start'),
    row('behind'),
    row('head'),
    {
      what: `nine tenths of ${events} events behind, to the start of that stream`,
      value: of('behind') / of('start'),
      unit: '×',
      limit: { atMost: 1.2 },
    },
    {
      what: `nine tenths of ${events} events behind, to its head`,
      value: of('behind') / of('head'),
      unit: '×',
      limit: { atMost: 1.2 },
    },
  ]
}

const PLACES = { start: 'all to come', behind: 'nine tenths to come', head: 'the last ones' }

/** Of events that the process has not seen since it was started, and of those that it handed out before. */
async function acknowledgements(send: Send, runs: number): Promise<Row[]> {
  const appends: number[] = []
  const acks: number[] = []
  const acksOfRead: number[] = []
  await change(send, 'name-1', 0)
  await change(send, 'name-2', 0)
  for (let run = 0; run < runs * 3; run++) {
    if (run % PAGE === 0) await readPage(send, 'name-2')
    const idOf = (name: number) => draft(name + run * NAMES).eventId
    acks.push(await timed(() => acknowledge(send, idOf(1))))
    appends.push(await timed(() => append(send, run)))
    acksOfRead.push(await timed(() => acknowledge(send, idOf(2))))
  }
  const row = (what: string, times: readonly number[]): Row => ({
    what,
    value: median(times) / median(appends),
    unit: '×',
    limit: { atMost: 1.2 },
    note: `${median(times).toFixed(2)} to ${median(appends).toFixed(2)} ms`,
  })
  return [
    row('an acknowledgement to an append', acks),
    row('the same of an event that was read before', acksOfRead),
  ]
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

async function sent(send: Send, request: Parameters<Send>[0]): Promise<Buffer> {
  const { status, body } = await send(request)
  if (status !== 200) throw new Error(`${request.path} answered ${status}: ${body}`)
  return body
}

function change(send: Send, name: string, offset: number): Promise<Buffer> {
  const path = `/api/v1/orders/${CONSUMER}/${name}/change/${offset}`
  return sent(send, { method: 'POST', path })
}

async function readPage(send: Send, name: string): Promise<void> {
  const body = await sent(send, {
    method: 'GET',
    path: '/api/v1/streams/orders/events',
    query: `eventName=${name}&limit=${PAGE}`,
    headers: { 'x-consumer-id': CONSUMER },
  })
  const count = (JSON.parse(body.toString()) as unknown[]).length
  if (count !== PAGE) throw new Error(`A page had ${count} events`)
}

function acknowledge(send: Send, id: string): Promise<Buffer> {
  return sent(send, {
    method: 'POST',
    path: `/api/v1/streams/orders/events/${id}`,
    headers: { 'x-consumer-id': CONSUMER, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'action=ACK',
  })
}

function append(send: Send, n: number): Promise<Buffer> {
  return sent(send, { method: 'PUT', path: '/events', body: requestBodyOf(n) })
}
