/**
 * Pages of a stream as EventStoreDB clients ask for them: as a CGI process, deep down in a long stream, and
 * from the standalone server against a plain one that has the same bytes in memory.
 */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { send } from '../test/support/http-client.ts'
import { cgiVariables } from './cgi.ts'
import { DEEP_STREAM, deepStore } from './deep-stream.ts'
import { copyOf } from './filled-store.ts'
import { pageLoad, type Rate } from './load.ts'
import { type Measurement, median, type Row } from './measurement.ts'
import { type Candidate, type ProcessTime, timeProcesses } from './process-times.ts'
import { APIE, builtProgram } from './programs.ts'
import { account, type Serving, serveApie, servePage } from './serving.ts'

const ACCEPT = 'application/json'
const HEAD = `/streams/${DEEP_STREAM}?embed=body`
const DEEP = `/streams/${DEEP_STREAM}/10/backward/20?embed=body`
const DEEP_FORWARD = `/streams/${DEEP_STREAM}/10/forward/20?embed=body`
const CONNECTIONS = 16
const ROUNDS = 6

export const atompub: Measurement = {
  name: 'atompub',
  title: 'Pages of a stream, AtomPub',
  async run({ events, runs, seconds }) {
    const folder = copyOf(await deepStore(events))
    try {
      const times = await timeProcesses(candidates(folder, events), runs)
      return [...processRows(times, events), ...(await serverRows(folder, seconds))]
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  },
}

type Name = 'hello' | 'head' | 'deep'

function candidates(data: string, events: number): (Candidate & { readonly name: Name })[] {
  const authorization = account(data)
  const page = (name: Name, path: string, newest: number) => {
    const environment = { ...cgiVariables('GET', path, data, authorization), HTTP_ACCEPT: ACCEPT }
    const expected = new RegExp(`^Status: 200 [^]*"title": "${newest}@${DEEP_STREAM}"`)
    return { name, program: APIE, request: () => ({ environment }), expected }
  }
  return [
    {
      name: 'hello',
      program: builtProgram('hello'),
      request: () => ({ environment: { PATH: '/usr/bin:/bin' } }),
      expected: /^hello/,
    },
    page('head', HEAD, events - 1),
    page('deep', DEEP_FORWARD, 29),
  ]
}

function processRows({ hello, head, deep }: Record<Name, ProcessTime>, events: number): Row[] {
  return [
    { what: 'hello', value: hello.wholeMs, unit: 'ms', note: 'whole process' },
    { what: 'head page of 20, embed=body', value: head.wholeMs, unit: 'ms', note: 'CGI process' },
    {
      what: 'head page to hello',
      value: head.wholeMs / hello.wholeMs,
      unit: '×',
      limit: { atMost: 1.5 },
    },
    {
      what: `page at event 10 of ${events} to head page`,
      value: deep.wholeMs / head.wholeMs,
      unit: '×',
      limit: { atMost: 1.1 },
      note: 'CGI process, 20 events each',
    },
  ]
}

async function serverRows(folder: string, seconds: number): Promise<Row[]> {
  const apie = await serveApie(folder)
  const file = join(fs.mkdtempSync(join(tmpdir(), 'apie-page-')), 'page')
  fs.writeFileSync(file, await pageOf(apie))
  const plain = await servePage(file)
  try {
    const rounds: { head: Rate; deep: Rate; plain: Rate }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        head: await pageLoad(apie, HEAD, ACCEPT, CONNECTIONS, seconds),
        plain: await pageLoad(plain, HEAD, ACCEPT, CONNECTIONS, seconds),
        deep: await pageLoad(apie, DEEP, ACCEPT, CONNECTIONS, seconds),
      })
    }
    // The first round warms the servers up.
    return rateRows(rounds.slice(1))
  } finally {
    await apie.stop()
    await plain.stop()
  }
}

async function pageOf({ port, authorization }: Serving): Promise<Buffer> {
  const headers = { accept: ACCEPT, authorization }
  const { status, bytes } = await send(`http://127.0.0.1:${port}${HEAD}`, { headers })
  if (status !== 200) throw new Error(`the page is ${status}`)
  return bytes
}

function rateRows(rounds: readonly Readonly<Record<'head' | 'deep' | 'plain', Rate>>[]): Row[] {
  const rate = (name: 'head' | 'plain') => median(rounds.map((round) => round[name].perSecond))
  const ratio = (name: 'head' | 'deep') =>
    median(rounds.map((round) => round[name].perSecond / round.plain.perSecond))
  return [
    { what: 'head pages from apie serve', value: rate('head'), unit: '/s' },
    { what: 'the same bytes from a plain Node server', value: rate('plain'), unit: '/s' },
    {
      what: 'head pages to plain Node server',
      value: ratio('head'),
      unit: '×',
      limit: { atLeast: 0.5 },
      note: `${CONNECTIONS} connections`,
    },
    { what: 'pages at event 10 to plain Node server', value: ratio('deep'), unit: '×' },
  ]
}
