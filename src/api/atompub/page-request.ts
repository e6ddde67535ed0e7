/** Which page a path asks for. */
import { AppError } from '../../domain/app-error.ts'
import type { RouteParameters } from '../../http/handler.ts'
import type { PageRequest } from './feed-links.ts'

/** Events of a page whose path does not say how many. */
export const DEFAULT_COUNT = 20

/** @throws AppError `bad-query` */
export type PageForm = (parameters: RouteParameters, largest: number) => PageRequest

export const headPage: PageForm = () => ({
  direction: 'backward',
  from: 'head',
  count: DEFAULT_COUNT,
})

export const backwardPage: PageForm = ({ number = '', count = '' }, largest) => ({
  direction: 'backward',
  from: number === 'head' ? 'head' : parseNumber(number),
  count: parseCount(count, largest),
})

export const forwardPage: PageForm = ({ number = '', count = '' }, largest) => ({
  direction: 'forward',
  from: parseNumber(number),
  count: parseCount(count, largest),
})

/** @throws AppError `bad-query` */
export function parseNumber(text: string): number {
  if (/^[0-9]{1,19}$/.test(text)) return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
  throw new AppError('bad-query', `'${text}' is not valid event number`)
}

function parseCount(text: string, largest: number): number {
  const count = findCount(text, largest)
  if (count !== undefined) return count
  throw new AppError('bad-query', `'${text}' is not valid count. Should be positive integer`)
}

/** A number of events for one page; `undefined` where it is none, or too large. */
export function findCount(text: string, largest: number): number | undefined {
  const count = Number(text)
  return /^[0-9]{1,9}$/.test(text) && count >= 1 && count <= largest ? count : undefined
}
