/**
 * Slows guessing down: after ten failures the next try has to wait, until one failure a minute is forgiven.
 *
 * Failures are counted for the network they come from, and for the account as that network tried it. A
 * network in which the account has signed in during the last 30 days is judged by the failures of that
 * account alone, every other one by all of its failures. So nobody can lock an account from elsewhere, and
 * a neighbour who guesses at other accounts does not lock its owner.
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
  read(key: AttemptKey): Attempts | undefined
  write(key: AttemptKey, attempts: Attempts): void
}

export type Throttle = {
  /**
   * Takes note that a password is about to be checked; `leave` must follow.
   * @throws AppError `too-many-attempts` with fact `retryAfterSeconds`
   */
  enter(name: string, address: string): void
  leave(name: string, address: string, outcome: 'right' | 'wrong' | 'unknown'): void
}

const LIMIT = 10
const FORGIVE_ONE_MS = 60_000
const DAY_MS = 24 * 60 * 60 * 1000
const KNOWN_FOR_MS = 30 * DAY_MS
const NONE: Attempts = { failures: 0, lastFailureMs: 0, lastSuccessMs: 0 }

export function createThrottle(attempts: AttemptCounter, clock: Clock): Throttle {
  /** Checks under way in this process: a hundred at once must not slip through before the first is counted. */
  const pending = new Map<string, number>()
  const addPending = (key: AttemptKey, change: 1 | -1): void => {
    const count = (pending.get(key.hash) ?? 0) + change
    if (count > 0) pending.set(key.hash, count)
    else pending.delete(key.hash)
  }
  const countFailure = (key: AttemptKey): void => {
    const found = attempts.read(key) ?? NONE
    const failures = remaining(found, clock.now()) + 1
    attempts.write(key, { ...found, failures, lastFailureMs: clock.now() })
  }
  const countSuccess = (key: AttemptKey): void => {
    const found = attempts.read(key) ?? NONE
    const isFresh = clock.now() - found.lastSuccessMs < DAY_MS
    if (found.failures === 0 && isFresh) return
    attempts.write(key, { ...NONE, lastSuccessMs: clock.now() })
  }
  return {
    enter(name, address) {
      const { network, account } = keysOf(name, address)
      const now = clock.now()
      const own = attempts.read(account) ?? NONE
      const isKnown = own.lastSuccessMs > 0 && now - own.lastSuccessMs < KNOWN_FOR_MS
      const judged = isKnown ? own : (attempts.read(network) ?? NONE)
      const underWay = pending.get((isKnown ? account : network).hash) ?? 0
      const failures = remaining(judged, now)
      if (failures + underWay >= LIMIT) throw tooMany(failures, judged, now)
      addPending(network, 1)
      addPending(account, 1)
    },
    leave(name, address, outcome) {
      const { network, account } = keysOf(name, address)
      addPending(network, -1)
      addPending(account, -1)
      if (outcome === 'right') countSuccess(account)
      if (outcome !== 'wrong') return
      countFailure(network)
      countFailure(account)
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
