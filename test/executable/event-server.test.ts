/** The event server as CGI processes: the session of its document, and twenty clients at once. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { document, P1, P2 } from '../gateway/event-server-request.ts'
import type { Apache } from '../support/apache.ts'
import { describeVariants } from '../support/apache-variants.ts'
import { run } from '../support/executable.ts'
import { runTour } from '../support/tour.ts'
import { useApache } from '../support/use-apache.ts'

const CONSUMER = '0190b7a2-cccc-4000-8000-000000000001'

/** Runs a command of the shell for each line of `input`, twenty at a time; `$1` is the line. */
async function twentyAtOnce(
  apache: Apache,
  command: string,
  input: readonly string[],
): Promise<string[]> {
  const environment = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    API: `${apache.url}/api/v1`,
    CREDENTIALS: `admin:${apache.password}`,
    DOCUMENT: JSON.stringify(document()),
  }
  const folder = join(apache.dataFolder, '..')
  // Each answer in one go, or the lines of several would mix.
  const line = `printf '%s\\n' "$(${command})"`
  const parameters = ['-P', '20', '-n', '1', 'sh', '-c', line, 'sh']
  const text = `${input.join('\n')}\n`
  const shell = await run('xargs', parameters, { folder, environment, input: text })
  expect([shell.status, shell.err]).toEqual([0, ''])
  return shell.out.trimEnd().split('\n')
}

const curl = `curl -sS -u "$CREDENTIALS" -w ' %{http_code}'`

/** Publishes onto the stream before `:`, as the producer behind it. */
const publish = `${curl} "$API/streams/\${1%:*}/events" -H "X-Producer-ID: \${1#*:}" -H 'Content-Type: application/json' -d "$DOCUMENT"`

type Event = { readonly sequence: number; readonly eventId: string }

async function read(apache: Apache, stream: string): Promise<readonly Event[]> {
  const answer = await apache.send(
    `/api/v1/streams/${stream}/events?eventName=OrderPlaced&limit=1000`,
    { headers: { 'X-Consumer-ID': CONSUMER } },
  )
  expect(answer.status, answer.text).toBe(200)
  return JSON.parse(answer.text) as Event[]
}

const times = (count: number, line: string): string[] => Array.from({ length: count }, () => line)

describeVariants('the event server', (variant) => {
  const apache = useApache({ variant, shape: 'document-root' })

  it('does what its document shows, down to the last acknowledgement', async () => {
    const shell = await runTour('docs/event-server.md', apache())
    expect(shell.status, `${shell.out}\n${shell.err}`).toBe(0)
    expect(shell.out.match(/"OK"/g)).toHaveLength(3)
    expect(shell.out).toContain(
      '"OK"[][{"consumerId":"0190b7a2-2222-7000-8000-000000000002","offset":3,',
    )
    expect(shell.out).toContain('"The offset is 0"[{"event":{"name":"Order placed","version":1,')
  })

  it('gives a hundred publishes at once the sequences from 1 to 100', async () => {
    const answers = await twentyAtOnce(apache(), publish, times(100, `many:${P1}`))
    expect(answers.map((line) => line.slice(-4))).toEqual(times(100, ' 200'))
    const events = await read(apache(), 'many')
    expect(events.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 100 }, (_, n) => n + 1),
    )
  })

  it('gives a stream to one of two first writers, in fifty rounds', async () => {
    const rounds = Array.from({ length: 50 }, (_, n) => [
      `race-${n}:${P1}`,
      `race-${n}:${P2}`,
    ]).flat()
    const answers = await twentyAtOnce(apache(), publish, rounds)
    const locked = '"Locked - Second writers not allowed" 423'
    expect(answers.filter((line) => line === locked)).toHaveLength(50)
    expect(answers.filter((line) => line.endsWith(' 200'))).toHaveLength(50)
    for (let n = 0; n < 50; n += 7) expect(await read(apache(), `race-${n}`)).toHaveLength(1)
  })

  it('moves an offset by one for twenty equal acknowledgements at once', async () => {
    await twentyAtOnce(apache(), publish, times(2, `acknowledged:${P1}`))
    const [first] = await read(apache(), 'acknowledged')
    const acknowledge = `${curl} "$API/streams/acknowledged/events/$1" -H 'X-Consumer-ID: ${CONSUMER}' -d action=ACK`
    const answers = await twentyAtOnce(apache(), acknowledge, times(20, first?.eventId ?? ''))
    expect(answers).toEqual(times(20, '"OK" 200'))
    expect((await read(apache(), 'acknowledged')).map(({ sequence }) => sequence)).toEqual([2])
  })
})
