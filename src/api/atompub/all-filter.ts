/**
 * Which events a filtered page of the log shows: those whose stream or type has one of some beginnings or fits an
 * expression, or those that are not the system's own. How far a page looks for them is `all-page.ts`.
 */
import { AppError } from '../../domain/app-error.ts'
import type { EventView } from '../../domain/event-view.ts'

export type AllFilter = {
  readonly shows: (event: Pick<EventView, 'stream' | 'eventType'>) => boolean
  /** The part of the query that says so, for the links of the page; with `?`. */
  readonly query: string
}

type Query = { get(name: string): string | null }

const NAMES = ['context', 'type', 'data', 'exclude-system-events'] as const
const LONGEST_EXPRESSION = 255
/** Repetitions in an expression: the time that a name takes grows with its length to this power. */
const MOST_REPETITIONS = 2
const UNBOUNDED =
  'The expression is longer than 255 characters, has more than one group or two repetitions, or repeats a group'

/** @throws AppError `bad-query` */
export function parseAllFilter(query: Query): AllFilter {
  const given = NAMES.flatMap((name) => {
    const value = query.get(name)
    return value === null ? [] : [`${name}=${encodeURIComponent(value)}`]
  })
  return { shows: showsOf(query), query: `?${given.join('&')}` }
}

function showsOf(query: Query): AllFilter['shows'] {
  const system = query.get('exclude-system-events')
  if (system?.toLowerCase() === 'true') return ({ eventType }) => !eventType.startsWith('$')
  if (system !== null) throw refused('exclude-system-events', 'Must be true')
  const context = query.get('context')?.toLowerCase()
  if (context !== 'streamid' && context !== 'eventtype') {
    throw refused('context', 'Must be streamid or eventtype')
  }
  const fits = fitsOf(query.get('type')?.toLowerCase(), query.get('data') ?? '')
  return context === 'streamid' ? ({ stream }) => fits(stream) : ({ eventType }) => fits(eventType)
}

function fitsOf(type: string | undefined, data: string): (name: string) => boolean {
  if (data === '') throw refused('data', 'Must not be empty')
  if (type === 'prefix') {
    const beginnings = data.split(',').filter((text) => text !== '')
    return (name) => beginnings.some((text) => name.startsWith(text))
  }
  if (type !== 'regex') throw refused('type', 'Must be prefix or regex')
  const expression = parseExpression(data)
  const known = new Map<string, boolean>()
  return (name) => {
    const fits = known.get(name) ?? expression.test(name)
    known.set(name, fits)
    return fits
  }
}

/** One that takes a bounded time for each name: with few repetitions, and none of a group. */
function parseExpression(text: string): RegExp {
  const plain = text.replace(/\\[^1-9k]/g, 'x').replace(/\[[^\]]*\]/g, 'x')
  const repetitions = plain.match(/[*+{]|(?<![*+}(])\?/g) ?? []
  const groups = plain.match(/\(/g) ?? []
  const isBounded =
    text.length <= LONGEST_EXPRESSION &&
    repetitions.length <= MOST_REPETITIONS &&
    groups.length <= 1 &&
    !/\\|\(\?(?!:)|\)[*+?{]/.test(plain)
  if (!isBounded) throw refused('data', UNBOUNDED)
  try {
    return new RegExp(text, 'u')
  } catch (cause) {
    throw refused('data', 'Is no regular expression', cause)
  }
}

function refused(parameter: string, problem: string, cause?: unknown): AppError {
  const message = `Invalid ${parameter} argument: ${problem}`
  return new AppError('bad-query', message, { parameter }, cause)
}
