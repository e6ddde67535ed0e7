/** Consumers of one subscription group under Apache: every fetch and every answer is a process of its own. */
import { expect, it } from 'vitest'
import type { Apache } from '../support/apache.ts'
import { describeVariants, VARIANTS } from '../support/apache-variants.ts'
import { uuid } from '../support/drafts.ts'
import { inParallel, useApache } from '../support/use-apache.ts'

const CONSUMERS = 20
const EVENTS = 120
const GROUP = '/subscriptions/jobs/workers'
const numbers = Array.from({ length: EVENTS }, (_, n) => n)

async function post(apache: Apache, path: string, body = '', type = 'application/json') {
  return apache.send(path, { method: 'POST', headers: { 'Content-Type': type }, body })
}

async function prepare(apache: Apache, settings: object): Promise<void> {
  const events = numbers.map((n) => ({ eventId: uuid(n), eventType: 'job', data: { n } }))
  const type = 'application/vnd.eventstore.events+json'
  expect((await post(apache, '/streams/jobs', JSON.stringify(events), type)).status).toBe(201)
  const made = await apache.send(GROUP, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(settings),
  })
  expect(made.status, made.text).toBe(201)
}

type Message = { readonly eventNumber: number; readonly eventId: string }

/** Twenty processes on a busy machine wait for each other, which is not what this is about. */
const PATIENCE = 'Timeout 240'

/** The messages that a fetch hands out; `undefined` where it failed, as one that is killed does. */
async function fetchMessages(apache: Apache, count: number): Promise<Message[] | undefined> {
  const answer = await apache.send(`${GROUP}/${count}?embed=rich`, {
    headers: { Accept: 'application/vnd.eventstore.competingatom+json' },
  })
  if (answer.status !== 200) return undefined
  return (JSON.parse(answer.text) as { entries: Message[] }).entries
}

const acknowledge = (apache: Apache, messages: readonly Message[]) =>
  post(apache, `${GROUP}/ack?ids=${messages.map(({ eventId }) => eventId).join(',')}`)

async function processed(apache: Apache): Promise<unknown> {
  return JSON.parse((await apache.send(`${GROUP}/info`)).text)
}

/** True where every event was acknowledged; false also where the one who asks is killed. */
async function isDone(apache: Apache): Promise<boolean> {
  const { status, text } = await apache.send(`${GROUP}/info`)
  return status === 200 && JSON.parse(text).lastProcessedEventNumber === EVENTS - 1
}

describeVariants('twenty consumers at once', (variant) => {
  const apache = useApache({ variant, shape: 'script-alias', configuration: PATIENCE })

  it('handle every event exactly once when they acknowledge', async () => {
    await prepare(apache(), { messageTimeoutMilliseconds: 0 })
    const handled: number[] = []
    const consumers = Array.from({ length: CONSUMERS }, (_, n) => n)
    await inParallel(consumers, CONSUMERS, async () => {
      for (;;) {
        const messages = await fetchMessages(apache(), 3)
        expect(messages).toBeDefined()
        if (!messages?.length) return
        handled.push(...messages.map(({ eventNumber }) => eventNumber))
        expect((await acknowledge(apache(), messages)).status).toBe(202)
      }
    })
    expect(handled.sort((a, b) => a - b)).toEqual(numbers)
    expect(await processed(apache())).toMatchObject({
      totalItemsProcessed: EVENTS,
      totalInFlightMessages: 0,
      lastProcessedEventNumber: EVENTS - 1,
    })
  })
})

describeVariants(
  'consumers that are killed',
  (variant) => {
    const apache = useApache({ variant, shape: 'script-alias', configuration: PATIENCE })

    it('lose no event: others are handed what they held', async () => {
      await prepare(apache(), { messageTimeoutMilliseconds: 500, maxRetryCount: 1000 })
      const handled = new Set<number>()
      /** Whoever is killed between its acknowledgement and the answer has done its work, and tells nobody. */
      const untold = new Set<number>()
      let isOver = false
      const killing = (async () => {
        for (let kills = 0; kills < 40 && !isOver; ) {
          const [pid] = apache().processes()
          if (pid !== undefined && kill(pid)) kills++
          await new Promise((resolve) => setTimeout(resolve, 25))
        }
      })()
      const consumers = Array.from({ length: 8 }, (_, n) => n)
      await inParallel(consumers, consumers.length, async () => {
        while (!isOver) {
          const messages = await fetchMessages(apache(), 5)
          if (messages === undefined) continue
          if (messages.length === 0) {
            isOver ||= await isDone(apache())
            continue
          }
          const isTold = (await acknowledge(apache(), messages)).status === 202
          for (const { eventNumber } of messages) (isTold ? handled : untold).add(eventNumber)
        }
      })
      await killing
      expect([...new Set([...handled, ...untold])].sort((a, b) => a - b)).toEqual(numbers)
      expect(handled.size).toBeGreaterThan(EVENTS / 2)
    })
  },
  VARIANTS.slice(0, 1),
)

/** False where it was gone already. */
function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
