/**
 * A CGI request as a process: reading an event and appending one, in a small log and in a large one, against a
 * program built the same way that only says hello. Also tells where the time of a request goes.
 */
import fs from 'node:fs'
import { requestBodyOf } from './events.ts'
import { copyOf, filledStore } from './filled-store.ts'
import type { Measurement, Row, Size } from './measurement.ts'
import { type Candidate, type ProcessTime, timeProcesses } from './process-times.ts'
import { APIE, builtProgram } from './programs.ts'
import { account } from './serving.ts'

const FEW = 10

export const cgi: Measurement = {
  name: 'cgi',
  title: 'One request as a CGI process',
  async run(size) {
    const small = copyOf(await filledStore(FEW))
    const large = copyOf(await filledStore(size.events))
    try {
      return rows(size, await times(small, large, size))
    } finally {
      fs.rmSync(small, { recursive: true })
      fs.rmSync(large, { recursive: true })
    }
  },
}

type Times = Record<'hello' | 'load' | 'get' | 'put' | 'get large' | 'put large', ProcessTime>

function times(small: string, large: string, { runs }: Size): Promise<Times> {
  const bare = { request: () => ({ environment: { PATH: '/usr/bin:/bin' } }) }
  const alive = { environment: cgiVariables('GET', '/health/live', small, '') }
  return timeProcesses(
    [
      { name: 'hello', program: builtProgram('hello'), expected: /^hello/, ...bare },
      { name: 'load', program: APIE, expected: /^Status: 20/, request: () => alive },
      ...requests('get', 'put', small),
      ...requests('get large', 'put large', large),
    ],
    runs,
  )
}

function requests<G extends string, P extends string>(
  get: G,
  put: P,
  data: string,
): (Candidate & { readonly name: G | P })[] {
  const authorization = account(data)
  const hash = firstHash(data)
  let n = 0
  return [
    {
      name: get,
      program: APIE,
      request: () => ({
        environment: cgiVariables('GET', `/events/${hash}`, data, authorization),
      }),
      expected: new RegExp(`^Status: 200 [^]*${hash}"}$`),
    },
    {
      name: put,
      program: APIE,
      request: () => {
        const input = requestBodyOf(n++)
        const environment = cgiVariables('PUT', '/events', data, authorization)
        return { environment: { ...environment, CONTENT_LENGTH: String(input.length) }, input }
      },
      expected: /^Status: 200 /,
    },
  ]
}

function firstHash(data: string): string {
  const [name = ''] = fs.readdirSync(`${data}/log`).sort()
  const lines = fs.openSync(`${data}/log/${name}`, 'r')
  const start = Buffer.alloc(1024)
  fs.readSync(lines, start)
  fs.closeSync(lines)
  return start.toString('latin1').split('\n')[1]?.slice(0, 64) ?? ''
}

/** What a web server tells of a request; the path may have a query. */
export function cgiVariables(
  method: string,
  path: string,
  data: string,
  authorization: string,
): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost',
    REMOTE_ADDR: '127.0.0.1',
    REQUEST_METHOD: method,
    REQUEST_URI: `/cgi-bin/apie${path}`,
    SCRIPT_NAME: '/cgi-bin/apie',
    PATH_INFO: path.split('?')[0] ?? '',
    QUERY_STRING: path.split('?')[1] ?? '',
    HTTP_HOST: 'localhost',
    HTTP_AUTHORIZATION: authorization,
    CONTENT_TYPE: 'application/json',
    APIE_DATA: data,
  }
}

function rows({ events }: Size, t: Times): Row[] {
  const ratio = (time: ProcessTime, to: ProcessTime): number => time.wholeMs / to.wholeMs
  return [
    { what: 'hello', value: t.hello.wholeMs, unit: 'ms', note: 'whole process' },
    { what: 'GET /events/{hash}', value: t.get.wholeMs, unit: 'ms' },
    { what: 'PUT /events', value: t.put.wholeMs, unit: 'ms', note: 'synced' },
    { what: 'GET to hello', value: ratio(t.get, t.hello), unit: '×', limit: { atMost: 1.35 } },
    { what: 'PUT to hello', value: ratio(t.put, t.hello), unit: '×', limit: { atMost: 1.8 } },
    large('GET', events, ratio(t['get large'], t.get)),
    large('PUT', events, ratio(t['put large'], t.put)),
    ...split('GET', t.get, t),
    ...split('PUT', t.put, t),
  ]
}

function large(method: string, events: number, value: number): Row {
  const what = `${method} with ${events} events to ${FEW}`
  return { what, value, unit: '×', limit: { atMost: 1.1 } }
}

/**
 * `load` is what it takes to answer a request that needs no account and nothing of the log. `work` holds what is loaded
 * for this kind of request alone, such as the lock.
 */
function split(method: string, time: ProcessTime, { hello, load }: Times): Row[] {
  return [
    { what: `${method}: runtime`, value: hello.answerMs, unit: 'ms', note: 'until hello is out' },
    { what: `${method}: load`, value: load.answerMs - hello.answerMs, unit: 'ms' },
    { what: `${method}: work`, value: time.answerMs - load.answerMs, unit: 'ms' },
    { what: `${method}: exit`, value: time.wholeMs - time.answerMs, unit: 'ms' },
  ]
}
