/**
 * Slows guessing down: after ten failures the next try has to wait, until one failure a minute is forgiven.
 *
 * Failures are counted for the network they come from, and for the account as that network tried it. A
 * network in which the account has signed in during the last 30 days is judged by the failures of that
 * account alone, every other one by all of its failures. So nobody can lock an account from elsewhere, and
 * a neighbour who guesses at other accounts does not lock its owner. Signing in forgives the failures of the account
 * there, once an hour.
 */
import { networkOf } from '../kit/network.ts'
import { sha256Hex } from '../kit/sha256.ts'
import { AppError } from './app-error.ts'
import type { Clock } from './ports.ts'

/** What is counted: a network, or an account in a network; `hash` is 64 hex digits. */
export type AttemptKey = { readonly kind: 'network' | 'account'; readonly hash: string }

/** Times in milliseconds since 1970-01-01T00:00:00Z; 0 is never. */
export type Attempts = {
  readonly failures: number
  readonly lastFailureMs: number
  readonly lastSuccessMs: number
}

/**
 * Where failures are remembered, across processes: a fixed number of slots, so that no attack makes it grow.
 * Keys of one kind share slots and push each other out; keys of different kinds never do, so that invented
 * account names cannot wipe the count of a network. Neither call throws: what cannot be counted is not.
 */
export type AttemptCounter = {
  read(key: AttemptKey): Attempts | undefined | Promise<Attempts | undefined>
  write(key: AttemptKey, attempts: Attempts): void | Promise<void>
}

export type Throttle = {
  /**
   * Takes note that a password is about to be checked; `leave` must follow.
   * @throws AppError `too-many-attempts` with fact `retryAfterSeconds`
   */
  enter(name: string, address: string): Promise<void>
  leave(name: string, address: string, outcome: 'right' | 'wrong' | 'unknown'): Promise<void>
}

const LIMIT = 10
const FORGIVE_ONE_MS = 60_000
const HOUR_MS = 60 * 60 * 1000
const KNOWN_FOR_MS = 30 * 24 * HOUR_MS
const NONE: Attempts = { failures: 0, lastFailureMs: 0, lastSuccessMs: 0 }

export function createThrottle(attempts: AttemptCounter, clock: Clock): Throttle {
  /** Checks under way in this process: a hundred at once must not slip through before the first is counted. */
  const pending = new Map<string, number>()
  const addPending = (key: AttemptKey, change: 1 | -1): void => {
    const count = (pending.get(key.hash) ?? 0) + change
    if (count > 0) pending.set(key.hash, count)
    else pending.delete(key.hash)
  }
  const countFailure = async (key: AttemptKey): Promise<void> => {
    const found = (await attempts.read(key)) ?? NONE
    const failures = remaining(found, clock.now()) + 1
    await attempts.write(key, { ...found, failures, lastFailureMs: clock.now() })
  }
  const countSuccess = async (key: AttemptKey): Promise<void> => {
    const { lastSuccessMs } = (await attempts.read(key)) ?? NONE
    // Else a guesser beside an owner who is at work would begin anew with each sign-in of that one.
    if (Math.abs(clock.now() - lastSuccessMs) < HOUR_MS) return
    await attempts.write(key, { ...NONE, lastSuccessMs: clock.now() })
  }
  return {
    async enter(name, address) {
      const { network, account } = keysOf(name, address)
      const now = clock.now()
      const own = (await attempts.read(account)) ?? NONE
      const isKnown = own.lastSuccessMs > 0 && now - own.lastSuccessMs < KNOWN_FOR_MS
      const judged = isKnown ? own : ((await attempts.read(network)) ?? NONE)
      // From here to the counting nothing is waited for: no two at once see the same count.
      const underWay = pending.get((isKnown ? account : network).hash) ?? 0
      const failures = remaining(judged, now)
      if (failures + underWay >= LIMIT) throw tooMany(failures, judged, now)
      addPending(network, 1)
      addPending(account, 1)
    },
    async leave(name, address, outcome) {
      const { network, account } = keysOf(name, address)
      try {
        if (outcome === 'right') await countSuccess(account)
        if (outcome !== 'wrong') return
        await countFailure(network)
        await countFailure(account)
      } finally {
        addPending(network, -1)
        addPending(account, -1)
      }
    },
  }
}

function keysOf(name: string, address: string): Record<AttemptKey['kind'], AttemptKey> {
  const from = networkOf(address)
  return {
    network: { kind: 'network', hash: sha256Hex(from) },
    account: { kind: 'account', hash: sha256Hex(`${from}\0${name}`) },
  }
}

/** Failures that are not forgiven yet. A clock that was set back counts as time gone by. */
function remaining({ failures, lastFailureMs }: Attempts, now: number): number {
  const forgiven = Math.floor(Math.abs(now - lastFailureMs) / FORGIVE_ONE_MS)
  return Math.max(0, failures - forgiven)
}

function tooMany(failures: number, { lastFailureMs }: Attempts, now: number): AppError {
  const sinceMs = Math.abs(now - lastFailureMs) % FORGIVE_ONE_MS
  const waitMs = Math.max(1, failures - LIMIT + 1) * FORGIVE_ONE_MS - sinceMs
  return new AppError('too-many-attempts', 'Too many wrong passwords: try again later', {
    retryAfterSeconds: Math.ceil(waitMs / 1000),
  })
}
