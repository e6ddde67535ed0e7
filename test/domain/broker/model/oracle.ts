/**
 * What must hold of a log that processors have written to, by the table of states in its own words: one event
 * after the other, with nothing of the program's own state machine.
 */
import type { BrokerEvent } from '../../../../src/domain/broker/broker-event.ts'
import type { Call } from './world.ts'

type State = 'initial' | 'pending' | 'success' | 'failure' | 'timeout'

type Seen = {
  readonly uuid: string
  readonly timeout: number
  readonly states: State[]
  /** Overall states in the order in which they were reached. */
  readonly overall: string[]
  /** A client has meddled with it. */
  isInjected: boolean
}

function overallOf(states: readonly State[]): string {
  if (states.includes('success')) return 'success'
  if (states.includes('initial')) return 'pending'
  return states.at(-1) ?? ''
}

/** Every violation, in words. */
export function violations(events: readonly BrokerEvent[], begun: readonly Call[]): string[] {
  const found: string[] = []
  const requests = new Map<number, Seen>()
  const written = new Set<string>()
  const starters = new Map<string, string>()
  let retries = 0
  let timeout = 0
  for (const { id, uuid, payload, causation, processor } of events) {
    if (payload?.class === 'configuration') {
      if (payload.retries >= 0) retries = payload.retries
      if (payload.timeout >= 0) timeout = payload.timeout
    } else if (payload?.class === 'request') {
      const states: State[] = Array(retries + 1).fill('initial')
      requests.set(id, { uuid, timeout, states, overall: ['pending'], isInjected: false })
    } else if (payload && 'attempt' in payload) {
      const request = requests.get(Number(causation))
      const { attempt } = payload
      if (!request || attempt >= request.states.length) {
        if (processor) found.push(`${id}: a processor wrote of an attempt that is not there`)
        continue
      }
      if (!processor) request.isInjected = true
      else {
        const end = payload.class === 'api-failure' || payload.class === 'api-timeout'
        const name = `${causation} ${attempt} ${end ? 'end' : payload.class}`
        if (written.has(name)) found.push(`${id}: written twice: ${name}`)
        written.add(name)
      }
      const state = request.states[attempt]
      switch (payload.class) {
        case 'api-request':
          if (state === 'initial') request.states[attempt] = 'pending'
          if (attempt > 0 && request.states[attempt - 1] === 'initial') {
            found.push(`${id}: an attempt was left out`)
          }
          if (attempt > 0 && request.states[attempt - 1] === 'pending') {
            found.push(`${id}: the attempt before is still pending`)
          }
          if (processor) starters.set(`${request.uuid}:${attempt}`, processor)
          break
        case 'api-response':
          request.states[attempt] = 'success'
          break
        case 'api-failure':
          if (state !== 'success') request.states[attempt] = 'failure'
          break
        case 'api-timeout':
          if (state === 'pending') request.states[attempt] = 'timeout'
          if (processor && request.timeout === 0) found.push(`${id}: a timeout without a timeout`)
          break
      }
      const overall = overallOf(request.states)
      if (request.overall.at(-1) !== overall) request.overall.push(overall)
    }
  }
  for (const [id, { overall, isInjected }] of requests) {
    const told = overall.join(' → ')
    if (overall.at(-1) === 'pending') found.push(`request ${id} has no final state`)
    const isPlain = overall.length === 2 || /^pending → (timeout|failure) → success$/.test(told)
    if (!isInjected && !isPlain) found.push(`request ${id} has several final states: ${told}`)
  }
  return [...found, ...callViolations(begun, starters)]
}

/** Each call belongs to a start in the log, was made by the run that it names, and by it once. */
function callViolations(begun: readonly Call[], starters: ReadonlyMap<string, string>): string[] {
  const found: string[] = []
  const called = new Set<string>()
  for (const { key, run } of begun) {
    if (called.has(key)) found.push(`called twice: ${key}`)
    called.add(key)
    if (starters.get(key) !== run) found.push(`${key} was called by ${run}, which had not won it`)
  }
  return found
}
