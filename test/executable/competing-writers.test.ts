/** Writers of one stream under Apache, each a process of its own, who expect a version of it. */
import { expect, it } from 'vitest'
import type { Apache } from '../support/apache.ts'
import { describeVariants } from '../support/apache-variants.ts'
import type { Received } from '../support/http-client.ts'
import { inParallel, useApache } from '../support/use-apache.ts'

const WRITERS = Array.from({ length: 20 }, (_, n) => n)

/** Twenty processes on a busy machine wait for each other, which is not what this is about. */
const PATIENCE = 'Timeout 240'

const write = (apache: Apache, stream: string, expected: number, n: number): Promise<Received> =>
  apache.send(`/streams/${stream}`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'ES-EventType': 'written',
      'ES-EventId': crypto.randomUUID(),
      'ES-ExpectedVersion': String(expected),
    },
    body: JSON.stringify({ n }),
  })

describeVariants('twenty writers that expect a version', (variant) => {
  const apache = useApache({ variant, shape: 'script-alias', configuration: PATIENCE })

  it.each([-1, 0, 1, 2])('%i at once: exactly one of them wins it', async (expected) => {
    const answers = await inParallel(WRITERS, WRITERS.length, (n) =>
      write(apache(), 'contested', expected, n),
    )
    const lost = answers.filter(({ status }) => status === 400)
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(400)])
    for (const answer of lost) {
      expect(Number(answer.headers['es-currentversion'])).toBe(expected + 1)
    }
    const [won] = answers.filter(({ status }) => status === 201)
    expect(won?.headers['location']).toMatch(new RegExp(`/streams/contested/${expected + 1}$`))
  })

  it('as they find it: each gets its turn, and no number is given twice', async () => {
    const mine = new Map<number, number>()
    await inParallel(WRITERS, WRITERS.length, async (n) => {
      let expected = -1
      for (;;) {
        const answer = await write(apache(), 'shared', expected, n)
        if (answer.status === 201) {
          const version = Number(/\/(\d+)$/.exec(answer.headers['location'] ?? '')?.[1])
          expect(version).toBe(expected + 1)
          expect(mine.has(version)).toBe(false)
          mine.set(version, n)
          return
        }
        expect(answer.status, answer.text).toBe(400)
        expected = Number(answer.headers['es-currentversion'])
      }
    })
    const read = await apache().send('/streams/shared/0/forward/100?embed=body', {
      headers: { Accept: 'application/json' },
    })
    const { entries } = JSON.parse(read.text) as {
      entries: { eventNumber: number; data: string }[]
    }
    const stored = entries.map(({ eventNumber, data }) => [eventNumber, JSON.parse(data).n])
    expect(stored.reverse()).toEqual(WRITERS.map((version) => [version, mine.get(version)]))
  })
})
