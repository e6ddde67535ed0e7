/** What a client sees of damaged content and of a damaged log, behind Apache and of `apie serve`. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApache } from '../support/apache.ts'
import { describeVariants } from '../support/apache-variants.ts'
import type { Received, Sent } from '../support/http-client.ts'
import { startServe } from '../support/serve.ts'

type Server = {
  readonly url: string
  readonly dataFolder: string
  readonly authorization: string
  send(path: string, sent?: Sent): Promise<Received>
  stop(): Promise<unknown>
}

/** More than one piece of content, and than the first piece of a list. */
const LARGE = 3_000_000
/** Of curl: the transfer ended before all that was announced had come. */
const PARTIAL = 18

const scratch = mkdtempSync(join(tmpdir(), 'apie-damaged-'))
afterAll(() => rmSync(scratch, { recursive: true }))

function curl(server: Server, path: string, ...words: string[]) {
  const out = join(scratch, 'out')
  rmSync(out, { force: true })
  const all = [
    '-s',
    '-o',
    out,
    '-w',
    '%{http_code}',
    '-H',
    `Authorization: ${server.authorization}`,
  ]
  return new Promise<{ exit: unknown; status: number; text: string }>((resolve) => {
    execFile('curl', [...all, ...words, server.url + path], (error, stdout) =>
      resolve({ exit: error?.code ?? 0, status: Number(stdout), text: textOf(out) }),
    )
  })
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

async function upload({ send }: Server, size: number, type: string): Promise<string> {
  const answer = await send('/storage/a', {
    method: 'PUT',
    body: Buffer.alloc(size, `${type} `),
    headers: { 'content-type': type },
  })
  expect(answer.status, answer.text).toBe(200)
  return (JSON.parse(answer.text) as { hash: string }).hash
}

function damageTests(start: () => Promise<Server>, lineExit: number): void {
  let server: Server
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server.stop())
  const blobOf = (hash: string) =>
    join(server.dataFolder, 'content', hash.slice(0, 2), `${hash}.blob`)

  it.each(['application/octet-stream', 'text/plain'])(
    'small content of type %s that is damaged is refused, until it is uploaded again',
    async (type) => {
      const hash = await upload(server, 262_144, type)
      flip(blobOf(hash), 1000)
      const { exit, status, text } = await curl(server, `/storage/${hash}`, '--compressed')
      expect([exit, status, JSON.parse(text)]).toMatchObject([0, 500, { code: 'content-damaged' }])
      expect(await upload(server, 262_144, type)).toBe(hash)
      expect(await curl(server, `/storage/${hash}`)).toMatchObject({ exit: 0, status: 200 })
    },
  )

  it('large content has its length, and that it is cut shows', async () => {
    const hash = await upload(server, LARGE, 'application/octet-stream')
    const whole = await server.send(`/storage/${hash}`)
    expect([whole.headers['content-length'], whole.bytes.length]).toEqual([String(LARGE), LARGE])
    flip(blobOf(hash), 1000)
    const { exit, status, text } = await curl(server, `/storage/${hash}`)
    expect([exit, status]).toEqual([PARTIAL, 200])
    expect(text.length).toBeLessThan(LARGE)
  })

  it('a list of events that is cut says so, and a JSON array does not parse', async () => {
    const body = 'x'.repeat(100_000)
    for (let n = 0; n < 40; n++) {
      const event = JSON.stringify({ eventType: 't', body: `${n} ${body}` })
      expect((await server.send('/events', { method: 'POST', body: event })).status).toBe(200)
    }
    const [name = ''] = readdirSync(join(server.dataFolder, 'log'))
    const path = join(server.dataFolder, 'log', name)
    const mode = 0o600
    flip(path, readFileSync(path).indexOf('"35 xxx') + 100)
    chmodSync(path, mode)
    const lines = await curl(server, '/events', '-H', 'Accept: application/x-ndjson')
    expect([lines.exit, lines.status]).toEqual([lineExit, 200])
    const all = lines.text.split('\n')
    expect(all.at(-1)).toBe('')
    const events = all.slice(0, -2).map((line) => JSON.parse(line) as { position: number })
    expect(events.length).toBeGreaterThan(0)
    expect(events.map(({ position }) => position)).toEqual(events.map((_, n) => n))
    const last = JSON.parse(all.at(-2) ?? '') as Record<string, unknown>
    expect(last).toMatchObject({ status: 'error', code: 'log-damaged', position: 35 })
    expect(last['hash']).toBeUndefined()
    const array = await curl(server, '/events')
    expect(array.exit).toBe(lineExit)
    expect(() => JSON.parse(array.text)).toThrow()
  })
}

describeVariants('damage', (variant) => {
  const configuration = 'KeepAliveTimeout 1'
  damageTests(() => startApache({ variant, shape: 'document-root', configuration }), 0)
})

describe('damage, apie serve', () => {
  damageTests(() => startServe(), PARTIAL)
})
