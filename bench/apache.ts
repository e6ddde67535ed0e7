/** The same append and the same read through one Apache: apie, a PHP script and a Python script, in turns. */
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Apache, startApache } from '../test/support/apache.ts'
import { APACHE, VARIANTS } from '../test/support/apache-variants.ts'
import { send } from '../test/support/http-client.ts'
import { requestBodyOf } from './events.ts'
import { type Measurement, median, type Row, say } from './measurement.ts'

const PEERS = [
  { name: 'php-cgi', file: 'events.php', needs: '/usr/bin/php-cgi' },
  { name: 'Python', file: 'events.py', needs: '/usr/bin/python3' },
] as const

/** One way to append and to read. */
type Way = {
  readonly name: string
  append(body: string): Promise<string>
  read(id: string): Promise<string>
}

export const apache: Measurement = {
  name: 'apache',
  title: 'Under Apache, side by side',
  async run({ runs }) {
    const variant = VARIANTS.find(({ mpm, suexec }) => mpm === 'event' && !suexec)
    if (variant === undefined || !existsSync(APACHE)) {
      say(`  left out: ${APACHE} is not installed (Debian package apache2)`)
      return []
    }
    const folder = mkdtempSync(join(tmpdir(), 'apie-bench-peers-'))
    // The scripts run as the web server's user.
    chmodSync(folder, 0o777)
    const server = await startApache({
      variant,
      shape: 'script-alias',
      configuration: PEERS.map(({ file }) => peerConfiguration(file, folder)).join(''),
    })
    try {
      return await compare(server, runs)
    } finally {
      await server.stop()
      rmSync(folder, { recursive: true })
    }
  },
}

/** php-cgi runs only where the server vouches for it. */
function peerConfiguration(file: string, folder: string): string {
  return `<Location "/cgi-bin/${file}">
  SetEnv EVENTS_LOG ${folder}/${file}.jsonl
  SetEnv REDIRECT_STATUS 200
</Location>
`
}

async function compare(server: Apache, runs: number): Promise<Row[]> {
  const ways = [apieUnder(server), ...PEERS.flatMap((peer) => peerUnder(server, peer))]
  const times = new Map(ways.map((way) => [way.name, { append: [], read: [] } as Times]))
  for (let run = 0; run < runs; run++) {
    for (const way of ways) {
      const taken = times.get(way.name)
      const start = performance.now()
      const id = await way.append(requestBodyOf(run))
      const between = performance.now()
      await way.read(id)
      taken?.append.push(between - start)
      taken?.read.push(performance.now() - between)
    }
  }
  return [...times].flatMap(([name, { append, read }]) => [
    { what: `append, ${name}`, value: median(append), unit: 'ms' },
    { what: `read, ${name}`, value: median(read), unit: 'ms' },
  ])
}

type Times = { readonly append: number[]; readonly read: number[] }

function apieUnder(server: Apache): Way {
  const way = (path: string, body?: string) =>
    answer(server.url + path, { authorization: server.authorization }, body)
  return {
    name: 'apie',
    append: async (body) => (JSON.parse(await way('/events', body)) as { hash: string }).hash,
    read: (hash) => way(`/events/${hash}`),
  }
}

function peerUnder(server: Apache, { name, file, needs }: (typeof PEERS)[number]): Way[] {
  if (!existsSync(needs)) {
    say(`  left out: ${needs} is not installed`)
    return []
  }
  const script = join(server.scriptFolder ?? '', file)
  copyFileSync(fileURLToPath(new URL(`peers/${file}`, import.meta.url)), script)
  chmodSync(script, 0o755)
  const way = (path: string, body?: string) =>
    answer(`${server.origin}/cgi-bin/${file}${path}`, {}, body)
  return [
    {
      name,
      append: async (body) => String((JSON.parse(await way('', body)) as { id: number }).id),
      read: (id) => way(`/${id}`),
    },
  ]
}

async function answer(
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<string> {
  const sent = body === undefined ? { headers } : { method: 'PUT', headers, body }
  const { status, text } = await send(url, sent)
  if (status !== 200) throw new Error(`${url} answered ${status}: ${text}`)
  return text
}
