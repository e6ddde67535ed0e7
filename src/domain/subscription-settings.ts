/**
 * The settings of a subscription group: defaults, what is taken for them, and how they are told.
 *
 * What consumers fetch has no connection of its own here, so settings that only concern connections and
 * buffers (`maxSubscriberCount`, the strategy, check point times) are kept and told, and change nothing.
 */
import { AppError } from './app-error.ts'

/** Ways to share events among connected consumers. */
const STRATEGIES = ['RoundRobin', 'DispatchToSingle', 'Pinned', 'PinnedByCorrelation'] as const

export type GroupSettings = {
  readonly resolveLinktos: boolean
  /** Number of the first event that is handed out; -1: only those that come after the group. */
  readonly startFrom: number
  /** How long a consumer may hold a message, in ms; 0: for ever. */
  readonly messageTimeoutMilliseconds: number
  readonly extraStatistics: boolean
  /** How often a message is handed out again before it is parked. */
  readonly maxRetryCount: number
  readonly liveBufferSize: number
  /** Messages that are handed out or wait for a retry, at most. */
  readonly bufferSize: number
  readonly readBatchSize: number
  readonly checkPointAfterMilliseconds: number
  readonly minCheckPointCount: number
  readonly maxCheckPointCount: number
  readonly maxSubscriberCount: number
  readonly namedConsumerStrategy: (typeof STRATEGIES)[number]
}

export const DEFAULT_GROUP_SETTINGS: GroupSettings = {
  resolveLinktos: false,
  startFrom: 0,
  messageTimeoutMilliseconds: 10_000,
  extraStatistics: false,
  maxRetryCount: 10,
  liveBufferSize: 500,
  bufferSize: 500,
  readBatchSize: 20,
  checkPointAfterMilliseconds: 1000,
  minCheckPointCount: 10,
  maxCheckPointCount: 500,
  maxSubscriberCount: 10,
  namedConsumerStrategy: 'RoundRobin',
}

/** The largest number that the other implementations of this API can hold. */
const MOST = 2_147_483_647

/** Smallest value of each number. */
const LEAST = {
  messageTimeoutMilliseconds: 0,
  maxRetryCount: 0,
  liveBufferSize: 1,
  bufferSize: 1,
  readBatchSize: 1,
  checkPointAfterMilliseconds: 0,
  minCheckPointCount: 0,
  maxCheckPointCount: 0,
  maxSubscriberCount: 0,
} as const

/**
 * Settings from the members of a document. Names in any case; values as such or as text; what is absent,
 * `null` or unknown is passed over.
 * @throws AppError `bad-field`
 */
export function parseGroupSettings(members: Iterable<readonly [string, unknown]>): GroupSettings {
  const sent = new Map<string, unknown>()
  for (const [name, value] of members) {
    if (value !== null && value !== undefined) sent.set(name.toLowerCase(), value)
  }
  const settings = {
    ...DEFAULT_GROUP_SETTINGS,
    ...flagOf(sent, 'resolveLinktos'),
    ...flagOf(sent, 'extraStatistics'),
    startFrom: startOf(sent),
    ...numbersOf(sent),
    ...strategyOf(sent),
  }
  if (settings.readBatchSize >= settings.bufferSize) {
    throw badField('readBatchSize', 'must be less than bufferSize')
  }
  return settings
}

type Sent = ReadonlyMap<string, unknown>

function flagOf<Name extends 'resolveLinktos' | 'extraStatistics' | 'preferRoundRobin'>(
  sent: Sent,
  name: Name,
): { readonly [N in Name]?: boolean } {
  const value = sent.get(name.toLowerCase())
  if (value === undefined) return {}
  const text = String(value).toLowerCase()
  if (text !== 'true' && text !== 'false') throw badField(name, 'must be true or false')
  return { [name]: text === 'true' } as { readonly [N in Name]?: boolean }
}

/** `startPosition` says the same in words: `Start`, `End`, or a number. */
function startOf(sent: Sent): number {
  const position = String(sent.get('startposition') ?? '').toLowerCase()
  if (position === 'start') return 0
  if (position === 'end') return -1
  const name = position === '' ? 'startFrom' : 'startPosition'
  const value = position === '' ? (sent.get('startfrom') ?? 0) : position
  return wholeNumber(value, name, -1, Number.MAX_SAFE_INTEGER)
}

function numbersOf(sent: Sent): Partial<GroupSettings> {
  const found = Object.entries(LEAST).flatMap(([name, least]) => {
    const value = sent.get(name.toLowerCase())
    return value === undefined ? [] : [[name, wholeNumber(value, name, least, MOST)]]
  })
  return Object.fromEntries(found) as Partial<GroupSettings>
}

function wholeNumber(value: unknown, name: string, least: number, most: number): number {
  const number = /^-?[0-9]{1,16}$/.test(String(value)) ? Number(value) : Number.NaN
  const isTaken = typeof value === 'number' || typeof value === 'string'
  if (isTaken && number >= least && number <= most) return number
  throw badField(name, `must be a whole number from ${least} to ${most}`)
}

/** `preferRoundRobin` is the older way to say it. */
function strategyOf(sent: Sent): Partial<GroupSettings> {
  const { preferRoundRobin } = flagOf(sent, 'preferRoundRobin')
  const value = sent.get('namedconsumerstrategy')
  if (value === undefined || value === '') {
    return preferRoundRobin === false ? { namedConsumerStrategy: 'DispatchToSingle' } : {}
  }
  const strategy = STRATEGIES.find((known) => known.toLowerCase() === String(value).toLowerCase())
  if (!strategy) throw badField('namedConsumerStrategy', `must be one of ${STRATEGIES.join(', ')}`)
  return { namedConsumerStrategy: strategy }
}

function badField(field: string, problem: string): AppError {
  return new AppError('bad-field', `${field} ${problem}`, { field })
}

/** The settings with every name that clients look for, in the order they are told. */
export function toldSettings(settings: GroupSettings): Readonly<Record<string, unknown>> {
  const { namedConsumerStrategy, maxSubscriberCount, ...others } = settings
  return {
    ...others,
    maxSubscriberCount,
    preferRoundRobin: namedConsumerStrategy === 'RoundRobin',
    namedConsumerStrategy,
  }
}

/** What differs from the defaults: a record that is written often stays short. */
export function changedSettings(settings: GroupSettings): Partial<GroupSettings> {
  const changed = Object.entries(settings).filter(
    ([name, value]) => DEFAULT_GROUP_SETTINGS[name as keyof GroupSettings] !== value,
  )
  return Object.fromEntries(changed) as Partial<GroupSettings>
}
