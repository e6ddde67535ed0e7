/** Values of the broker's options and words, each refused with its name where it is not what it must be. */
import { AppError } from '../../domain/app-error.ts'
import type { BrokerEventId } from '../../domain/broker/broker-event.ts'
import { type EventId, parseEventId } from '../../domain/event.ts'
import type { CommandCall } from '../command.ts'
import { usage } from '../usage.ts'
import { HINT } from './hint.ts'

const NIL = '00000000-0000-0000-0000-000000000000'

/** The text of an option, or `undefined` where it was not given. */
export function textOption({ options }: CommandCall, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** Id of an event; 0 is none. */
export function parseId(text: string, name: string): BrokerEventId {
  const id = /^\+?\d+$/.test(text) ? Number(text) : -1
  if (Number.isSafeInteger(id) && id >= 0) return id
  throw usage(`${name} must be the id of an event, a whole number from 0 on, not "${text}"`, HINT)
}

export function idOption(call: CommandCall, name: string): BrokerEventId | undefined {
  const text = textOption(call, name)
  return text === undefined ? undefined : parseId(text, `--${name}`)
}

/** `undefined` for an empty text and for the nil UUID: both say that there is none. */
export function parseUuid(text: string, name: string): EventId | undefined {
  if (text === '' || text === NIL) return undefined
  try {
    return parseEventId(text)
  } catch (error) {
    if (error instanceof AppError) throw usage(`${name} must be a UUID, not "${text}"`, HINT)
    throw error
  }
}

type Range = { readonly min: number; readonly max: number; readonly isWhole?: boolean }

export function numberOption(
  call: CommandCall,
  name: string,
  fallback: number,
  { min, max, isWhole = false }: Range,
): number {
  const text = textOption(call, name)
  if (text === undefined) return fallback
  const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)
  const value = isNumber ? Number(text) : Number.NaN
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value
  const kind = isWhole ? 'a whole number' : 'a number'
  throw usage(`--${name} must be ${kind} from ${min} to ${max}, not "${text}"`, HINT)
}
