/**
 * Who signed in with which `Authorization`, for processes that answer many requests. An answer holds while the
 * accounts are untouched: whoever changes one, in whatever process, is asked about at the very next request.
 *
 * Only what was right is kept, under a digest with a secret of this process: no password stays in memory, and
 * what was wrong is looked at, slowed down and counted each time.
 */
import type { Principal } from '../domain/account.ts'
import type { Stamp } from '../domain/ports.ts'
import { BoundedMap } from '../kit/bounded-map.ts'
import { createKeyedDigest, type KeyedDigest } from '../kit/keyed-digest.ts'

const MOST_SIGN_INS = 1024
/** Characters of a header that is remembered. */
const LONGEST = 512

export type RememberedSignIns = {
  /** Whom `header` names: what is remembered, else what `ask` finds out. */
  find(header: string, ask: () => Promise<Principal>): Principal | Promise<Principal>
}

/** The half of a digest that is no key, and whom it stands for. */
type SignIn = { readonly second: number; readonly principal: Principal }

/** @param stamp of what accounts are kept in */
export function createRememberedSignIns(stamp: Stamp): RememberedSignIns {
  const known = new BoundedMap<number, SignIn>(MOST_SIGN_INS)
  const digestOf = createKeyedDigest(LONGEST)
  let valid: number | undefined
  const learn = async (
    { first, second }: KeyedDigest,
    now: number,
    ask: () => Promise<Principal>,
  ) => {
    const principal = await ask()
    if (now === valid) known.set(first, { second, principal })
    return principal
  }
  return {
    find(header, ask) {
      const now = stamp()
      if (now === undefined) return ask()
      if (now !== valid) known.clear()
      valid = now
      const digest = digestOf(header)
      if (!digest) return ask()
      const there = known.get(digest.first)
      return there?.second === digest.second ? there.principal : learn(digest, now, ask)
    },
  }
}
