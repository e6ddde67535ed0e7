/** `apie broker`: which of its commands runs, with which words and options. */

import { nearest } from '../../kit/nearest.ts'
import { type CommandCall, EXIT } from '../command.ts'
import { usage } from '../usage.ts'
import { HINT } from './hint.ts'

type Action = {
  /** Words after its name, as a refusal shows them. */
  readonly words: string
  readonly wordCount: number | readonly [number, number]
  /** Options that it takes besides those of every command of the broker. */
  readonly options: readonly string[]
  readonly run: (call: CommandCall) => Promise<void>
}

/** What follows the name of the action. */
function rest(call: CommandCall): CommandCall {
  return { ...call, words: call.words.slice(1) }
}

const ACTIONS: Readonly<Record<string, Action>> = {
  configure: {
    words: '',
    wordCount: 0,
    options: ['retries', 'timeout', 'external-uuid', 'json'],
    run: async (call) => (await import('./insert.ts')).runConfigure(call),
  },
  insert: {
    words: 'CLASS DATA',
    wordCount: 2,
    options: ['external-uuid', 'causation', 'json'],
    run: async (call) => (await import('./insert.ts')).runInsert(call),
  },
  list: {
    words: '',
    wordCount: 0,
    options: ['start-after', 'json'],
    run: async (call) => (await import('./look.ts')).runList(call),
  },
  show: {
    words: 'ID',
    wordCount: 1,
    options: ['json'],
    run: async (call) => (await import('./look.ts')).runShow(call),
  },
  'resolve-external-uuid': {
    words: 'UUID',
    wordCount: 1,
    options: ['json'],
    run: async (call) => (await import('./look.ts')).runResolve(call),
  },
  status: {
    words: '[REQUEST-ID]',
    wordCount: [0, 1],
    options: ['json'],
    run: async (call) => (await import('./status.ts')).runStatus(call),
  },
  watch: {
    words: '',
    wordCount: 0,
    options: ['json'],
    run: async (call) => (await import('./watch.ts')).runWatch(call),
  },
  'watch-requests': {
    words: '',
    wordCount: 0,
    options: ['start-after', 'json'],
    run: async (call) => (await import('./watch.ts')).runWatchRequests(call),
  },
  process: {
    words: '',
    wordCount: 0,
    options: [
      'api-url',
      'start-after',
      'until-idle',
      'late-responses',
      'max-parallel',
      'backoff-ms',
      'jitter-percent',
    ],
    run: async (call) => (await import('./process.ts')).runProcess(call),
  },
  'brittle-api': {
    words: 'serve ADDRESS',
    wordCount: 2,
    options: [
      'api-failure-rate',
      'api-silent-failure-rate',
      'api-min-latency',
      'api-max-latency',
      'seed',
    ],
    run: async (call) => (await import('./brittle.ts')).runBrittleApi(call),
  },
}

/** Options of every command of the broker. */
const SHARED = ['eventstore-driver', 'eventstore-db-host', 'eventstore-loglevel', 'stream', 'data']

export async function runBroker(call: CommandCall): Promise<number> {
  const [name = ''] = call.words
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined
  if (!action) throw unknownAction(name)
  checkCall(name, action, call)
  await action.run(rest(call))
  return EXIT.ok
}

function unknownAction(name: string) {
  const names = Object.keys(ACTIONS)
  const guess = nearest(name, names)
  const end = guess === undefined ? `it has ${names.join(', ')}` : `the nearest is "${guess}"`
  return usage(
    `"apie broker" has no command "${name.replace(/\p{C}/gu, '?').slice(0, 60)}"; ${end}`,
    HINT,
  )
}

/** @throws AppError `usage` before anything is opened or made */
function checkCall(name: string, { words, wordCount, options }: Action, call: CommandCall): void {
  const given = call.words.length - 1
  const [fewest, most] = typeof wordCount === 'number' ? [wordCount, wordCount] : wordCount
  if (given < fewest) throw usage(`"apie broker ${name}" needs ${words}`, HINT)
  if (given > most) {
    throw usage(`"apie broker ${name}" does not take "${call.words[most + 1]}"`, HINT)
  }
  for (const [option, value] of Object.entries(call.options)) {
    const isKnown = options.includes(option) || SHARED.includes(option)
    if (value !== undefined && !isKnown) {
      throw usage(`"apie broker ${name}" does not take --${option}`, HINT)
    }
  }
}
