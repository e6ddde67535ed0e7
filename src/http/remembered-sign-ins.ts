/**
 * Who signed in with which `Authorization`, for processes that answer many requests. An answer holds while the
 * accounts are untouched: whoever changes one, in whatever process, is asked about at the very next request.
 *
 * Only what was right and nobody can guess is kept, under a digest with a secret of this process: no password stays in
 * memory, and what was wrong is looked at, slowed down and counted each time. A chosen password is not kept here: a
 * guess that turns out right has to wait like those that do not.
 */
import type { Principal } from '../domain/account.ts'
import type { Stamp } from '../domain/ports.ts'
import { BoundedMap } from '../kit/bounded-map.ts'
import { randomSecret } from '../kit/secret.ts'
import { sha256Hex } from '../kit/sha256.ts'

const MOST_SIGN_INS = 1024

/** What was found out about a header. */
export type Asked = { readonly principal: Principal; readonly mayBeRemembered: boolean }

export type RememberedSignIns = {
  /** Whom `header` names: what is remembered, else what `ask` finds out. */
  find(header: string, ask: () => Promise<Asked>): Principal | Promise<Principal>
}

/** @param stamp of what accounts are kept in */
export function createRememberedSignIns(stamp: Stamp): RememberedSignIns {
  const known = new BoundedMap<string, Principal>(MOST_SIGN_INS)
  const secret = randomSecret()
  let valid: number | undefined
  const learn = async (key: string, now: number, ask: () => Promise<Asked>) => {
    const { principal, mayBeRemembered } = await ask()
    if (mayBeRemembered && now === valid) known.set(key, principal)
    return principal
  }
  return {
    find(header, ask) {
      const now = stamp()
      if (now === undefined) return ask().then(({ principal }) => principal)
      if (now !== valid) known.clear()
      valid = now
      const key = sha256Hex(secret + header)
      return known.get(key) ?? learn(key, now, ask)
    },
  }
}
