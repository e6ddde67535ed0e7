/**
 * How long secrets take to be refused: figures for people to look at, since a shared machine moves times by more
 * than what an attacker would look for. What is judged is the answer, and that the figures could be taken.
 */
import { expect, it } from 'vitest'
import { createAccounts } from '../../src/domain/accounts.ts'
import { AppError } from '../../src/domain/app-error.ts'
import { createSignIn } from '../../src/domain/sign-in.ts'
import { createPasswordHasher } from '../../src/kit/password-hasher.ts'
import { isSameDigest, isSameSecret } from '../../src/kit/secret.ts'
import { sha256Hex } from '../../src/kit/sha256.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { most, tell } from '../crash/crash-run.ts'
import { scaled } from './security-run.ts'

type Group = readonly [name: string, work: () => Promise<void> | void]

/** Mean time of each group in microseconds, without the slowest tenth; taken in turn, so that all meet the same. */
async function means(groups: readonly Group[], samples: number): Promise<number[]> {
  const times = groups.map(() => [] as number[])
  for (let n = 0; n < samples; n++) {
    for (const [at, [, work]] of groups.entries()) {
      const since = process.hrtime.bigint()
      const done = work()
      if (done) await done
      times[at]?.push(Number(process.hrtime.bigint() - since) / 1000)
    }
  }
  return times.map((all) => {
    const kept = all.toSorted((a, b) => a - b).slice(0, Math.ceil(all.length * 0.9))
    return kept.reduce((sum, time) => sum + time, 0) / kept.length
  })
}

function report(what: string, groups: readonly Group[], found: readonly number[]): void {
  const [least, largest] = [Math.min(...found), Math.max(...found)]
  const percent = ((largest - least) * 100) / least
  const each = groups.map(([name], at) => `${name} ${found[at]?.toFixed(2)} µs`).join(', ')
  tell(`${what}: ${each}; ${percent.toFixed(1)} % apart`)
  most(`${what}, per mille apart`, Math.round(percent * 10))
  expect(found.every((time) => time > 0)).toBe(true)
}

it('secrets and digests with a right beginning are refused, 20,000 times each', async () => {
  const right = sha256Hex('right')
  const wrong = (same: number) => right.slice(0, same) + '0123456789abcdef'.repeat(4).slice(same)
  for (const [what, isSame] of [
    ['a secret', isSameSecret],
    ['a digest', isSameDigest],
  ] as const) {
    const groups = [0, 32, 62].map((same): Group => {
      const given = wrong(same)
      const refuse = () => {
        if (isSame(right, given)) throw new Error('taken for right')
      }
      return [`${same} right digits`, refuse]
    })
    report(what, groups, await means(groups, scaled(20_000)))
  }
})

it('a wrong name and a wrong password are refused with the same words', async () => {
  const clock = { now: () => Date.now() }
  const hasher = createPasswordHasher('blocking')
  const { records } = createMemoryStore({ clock })
  const accounts = createAccounts({ records, clock, hasher })
  await accounts.addFirstAdmin({ name: 'ann', password: { kind: 'chosen', password: 'secret' } })
  const signIn = createSignIn({
    accounts,
    hasher,
    throttle: { enter: async () => {}, leave: async () => {} },
    readHtpasswd: () => undefined,
  })
  const refused = (name: string, password: string) => async () => {
    const error = await signIn(name, password, '192.0.2.1').catch((thrown: unknown) => thrown)
    expect(error instanceof AppError && error.code).toBe('credentials-wrong')
  }
  const groups: readonly Group[] = [
    ['a wrong name', refused('bob', 'secret')],
    ['a wrong password', refused('ann', 'wrong')],
    ['a right beginning', refused('ann', 'secre')],
  ]
  report('signing in', groups, await means(groups, scaled(25)))
})
