/** Many requests at once, each a process of its own. */
import { chmodSync, chownSync, copyFileSync, renameSync } from 'node:fs'
import { expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { EXECUTABLE } from '../support/executable.ts'
import { inParallel, useApache } from '../support/use-apache.ts'

const FIFTY = Array.from({ length: 50 }, (_, n) => n)

describeVariants('fifty appends at once', (variant) => {
  const apache = useApache({ variant, shape: 'script-alias' })
  const append = (n: number, headers: Record<string, string> = {}) =>
    apache().send('/events', {
      method: 'PUT',
      headers,
      body: JSON.stringify({ eventType: 'parallel', body: { n } }),
    })

  it('are all stored, each under a hash of its own', async () => {
    const answers = await inParallel(FIFTY, 50, (n) => append(n))
    expect(answers.map((answer) => answer.status)).toEqual(FIFTY.map(() => 200))
    const hashes = answers.map((answer) => (JSON.parse(answer.text) as { hash: string }).hash)
    expect(new Set(hashes).size).toBe(50)
  })

  it('with the same If-Match let exactly one through', async () => {
    const head = (await apache().send('/events', { method: 'HEAD' })).headers['x-apie-hash'] ?? ''
    expect(head).toMatch(/^[0-9a-f]{64}$/)
    const answers = await inParallel(FIFTY, 50, (n) => append(1000 + n, { 'If-Match': head }))
    const statuses = answers.map((answer) => answer.status).sort()
    expect(statuses).toEqual([200, ...Array.from({ length: 49 }, () => 412)])
  })

  it('with the same event id store one event', async () => {
    const eventId = '00000000-0000-4000-8000-00000000abcd'
    const body = JSON.stringify({ eventId, eventType: 'retried', body: {} })
    const answers = await inParallel(FIFTY.slice(0, 10), 10, () =>
      apache().send('/events', { method: 'PUT', body }),
    )
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1)
    const stored = await apache().send('/events?type=retried')
    expect(JSON.parse(stored.text)).toHaveLength(1)
  })

  it('survive a newer executable being put in place meanwhile', async () => {
    const { program, user } = apache()
    const replace = (): void => {
      copyFileSync(EXECUTABLE, `${program}.new`)
      chmodSync(`${program}.new`, 0o755)
      if (user) chownSync(`${program}.new`, user.uid, user.gid)
      renameSync(`${program}.new`, program)
    }
    const answers = await inParallel(FIFTY, 5, (n) => {
      if (n % 10 === 5) replace()
      return append(2000 + n)
    })
    expect(answers.map((answer) => answer.status)).toEqual(FIFTY.map(() => 200))
  })
})
