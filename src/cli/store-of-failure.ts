/**
 * Which of two stores a failure came from: their errors are alike, and pass through the other one on their way.
 */
import type { Store } from '../domain/ports.ts'

const stores = new WeakMap<object, string>()

/** The engine URL of the store that an error came from, if it was noted. */
export function storeOfFailure(error: unknown): string | undefined {
  return isObject(error) ? stores.get(error) : undefined
}

/** The same store; what its log, records and content throw is noted as its own. */
export function notingFailures(store: Store, engineUrl: string): Store {
  const { log, records, content } = store
  return {
    ...store,
    log: noting(log, engineUrl),
    records: noting(records, engineUrl),
    content: noting(content, engineUrl),
  }
}

function noting<T extends object>(part: T, engineUrl: string): T {
  return new Proxy(part, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...words: unknown[]) => noted(Reflect.apply(member, target, words), engineUrl)
    },
  })
}

/** A promise, an iteration or the promise of one; anything else as it is. */
function noted(result: unknown, engineUrl: string): unknown {
  if (result instanceof Promise) {
    return result.then(
      (value) => noted(value, engineUrl),
      (error) => {
        throw note(error, engineUrl)
      },
    )
  }
  return isIteration(result) ? notedIteration(result, engineUrl) : result
}

async function* notedIteration(items: AsyncIterable<unknown>, engineUrl: string) {
  try {
    yield* items
  } catch (error) {
    throw note(error, engineUrl)
  }
}

function note(error: unknown, engineUrl: string): unknown {
  if (isObject(error)) stores.set(error, engineUrl)
  return error
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const isIteration = (value: unknown): value is AsyncIterable<unknown> =>
  isObject(value) && Symbol.asyncIterator in value
