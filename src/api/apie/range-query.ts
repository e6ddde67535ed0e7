/**
 * The query of `GET /events` as a range of the log. A name that is not known is refused: a filter or a limit
 * that was misspelt would quietly give another answer than the one asked for.
 */
import { AppError } from '../../domain/app-error.ts'
import {
  type EventHash,
  type EventType,
  findEventHash,
  parseEventType,
} from '../../domain/event.ts'
import { eventNotFound, type RangeQuery } from '../../domain/event-log.ts'
import { nameProblem } from '../../domain/name.ts'
import type { ReadDirection } from '../../domain/ports.ts'
import { parseStreamName } from '../../domain/stream-name.ts'

/**
 * @param maxLimit largest `limit`
 * @throws AppError `bad-query`; `bad-name` for the stream; `event-not-found` for bounds that are no hash
 */
export function parseRangeQuery(query: URLSearchParams, maxLimit: number): RangeQuery {
  for (const name of query.keys()) if (!NAMES.includes(name)) throw unknownName(name)
  const limit = parseLimit(query.get('limit'), maxLimit)
  const stream = query.get('stream')
  const type = query.get('type')
  return {
    ...bound(query, 'from'),
    ...bound(query, 'to'),
    ...bound(query, 'after'),
    ...bound(query, 'before'),
    ...(limit !== undefined && { limit }),
    ...(stream !== null && { stream: parseStreamName(stream) }),
    ...(type !== null && { type: parseType(type) }),
    direction: parseOrder(query.get('order')),
  }
}

const NAMES = ['from', 'to', 'after', 'before', 'limit', 'stream', 'type', 'order']

function unknownName(name: string): AppError {
  const message = `There is no query parameter of this name; there are ${NAMES.join(', ')}`
  return new AppError('bad-query', message, { parameter: name.slice(0, 100) })
}

type BoundName = 'from' | 'to' | 'after' | 'before'

function bound(query: URLSearchParams, name: BoundName): { readonly [N in BoundName]?: EventHash } {
  const text = query.get(name)
  if (text === null) return {}
  const hash = findEventHash(text)
  if (hash === undefined) throw eventNotFound(text)
  return { [name]: hash }
}

function parseLimit(text: string | null, maxLimit: number): number | undefined {
  if (text === null) return undefined
  const limit = Number(text)
  if (!/^[1-9][0-9]*$/.test(text) || limit > maxLimit) {
    throw badQuery('limit', `must be a whole number from 1 to ${maxLimit}`)
  }
  return limit
}

function parseType(text: string): EventType {
  const problem = nameProblem(text)
  if (problem) throw badQuery('type', problem)
  return parseEventType(text)
}

function parseOrder(text: string | null): ReadDirection {
  if (text === null || text === 'asc') return 'forwards'
  if (text === 'desc') return 'backwards'
  throw badQuery('order', 'must be asc or desc')
}

function badQuery(parameter: string, problem: string): AppError {
  return new AppError('bad-query', `${parameter} ${problem}`, { parameter })
}
