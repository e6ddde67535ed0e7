/** Requests that end before their time: clients that leave, processes that are killed, bodies that never come. */
import net from 'node:net'
import { expect, it } from 'vitest'
import type { Apache } from '../support/apache.ts'
import { describeVariants } from '../support/apache-variants.ts'
import { countEvents, inParallel, until, useApache } from '../support/use-apache.ts'

/** Starts a request and leaves it to the caller: the socket, after its bytes are on their way. */
function begin(apache: Apache, head: string, body: string | Buffer = ''): Promise<net.Socket> {
  const { port, path, authorization } = apache
  const [method, target, ...headers] = head.split('\n')
  const lines = [
    `${method} ${path}${target} HTTP/1.1`,
    'Host: localhost',
    `Authorization: ${authorization}`,
    ...headers,
  ]
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', reject)
    socket.write(
      Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.from(body)]),
      () => resolve(socket),
    )
  })
}

function killAll(apache: Apache, signal: 'SIGTERM' | 'SIGKILL'): number {
  const processes = apache.processes()
  for (const pid of processes) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended in between.
    }
  }
  return processes.length
}

describeVariants('a client that goes away', (variant) => {
  const settings = { bodyTimeoutMs: 2000, requestTimeoutMs: 4000 }
  const apache = useApache({ variant, shape: 'script-alias', settings })

  it('leaves the log whole, no process and no lock', async () => {
    const large = Buffer.alloc(4_000_000, 'x')
    const stored = await apache().send('/storage/large.bin', { method: 'PUT', body: large })
    const { hash } = JSON.parse(stored.text) as { hash: string }
    const event = JSON.stringify({ eventType: 'aborted', body: 'y'.repeat(200_000) })
    const rounds = Array.from({ length: 40 }, (_, n) => n)
    await inParallel(rounds, 4, async (n) => {
      const isUpload = n % 2 === 0
      const socket = isUpload
        ? await begin(
            apache(),
            `POST\n/events\nContent-Length: ${event.length}`,
            event.slice(0, (event.length * n) / rounds.length),
          )
        : await begin(apache(), `GET\n/storage/${hash}`)
      if (!isUpload) await new Promise((resolve) => socket.once('data', resolve))
      socket.destroy()
    })
    await until(() => apache().processes().length === 0, 10_000)
    expect(await countEvents(apache())).toBe(0)
    const next = await apache().send('/events', { method: 'POST', body: event })
    expect(next.status, next.text).toBe(200)
  })
})

describeVariants('a body that never comes', (variant) => {
  const settings = { bodyTimeoutMs: 1000, requestTimeoutMs: 3000 }
  const apache = useApache({ variant, shape: 'script-alias', settings })

  it('ends the process by its own deadline, and stores nothing', async () => {
    const socket = await begin(apache(), 'POST\n/events\nContent-Length: 100', '{"eventType"')
    await until(() => apache().processes().length > 0, 5000)
    await until(() => apache().processes().length === 0, 8000)
    socket.destroy()
    expect(await countEvents(apache())).toBe(0)
  })
})

describeVariants('processes that are killed while they append', (variant) => {
  const apache = useApache({ variant, shape: 'script-alias' })

  it.each(['SIGTERM', 'SIGKILL'] as const)('by %s lose nothing acknowledged', async (signal) => {
    const acknowledged: string[] = []
    const tries = Array.from({ length: 80 }, (_, n) => n)
    let killed = 0
    await inParallel(tries, 6, async (n) => {
      // Every fifth turn kills whatever runs at that moment.
      if (n % 5 === 4) killed += killAll(apache(), signal)
      const body = JSON.stringify({ eventType: signal, body: { n } })
      const answer = await apache().send('/events', { method: 'POST', body })
      // A status without the body that follows it is no acknowledgement: the process died in between.
      if (answer.status === 200 && answer.text.endsWith('}'))
        acknowledged.push((JSON.parse(answer.text) as { hash: string }).hash)
    })
    expect(killed).toBeGreaterThan(0)
    expect(acknowledged.length).toBeGreaterThan(0)
    const log = await apache().send(`/events?type=${signal}&limit=1000`)
    const hashes = (JSON.parse(log.text) as { hash: string }[]).map((event) => event.hash)
    expect(hashes).toEqual(expect.arrayContaining(acknowledged))
  })

  it('keep the next append waiting for no longer than it waits for a lock', async () => {
    const body = '{"eventType":"next","body":1}'
    const busy = Promise.all(
      [1, 2, 3, 4].map(() => apache().send('/events', { method: 'POST', body })),
    )
    await until(() => killAll(apache(), 'SIGKILL') > 0, 5000)
    expect((await apache().send('/events', { method: 'POST', body })).status).toBe(200)
    await busy
  })
})
