/** Which engine the broker's options name, and what it tells of its store. */
import { expect, it } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { runWords } from '../support/command-line.ts'

const store = () => createMemoryStore({ clock: { now: () => 0 } })

async function engineOf(environment: Record<string, string>, ...words: readonly string[]) {
  let asked: string | undefined
  const openStore = async (_: string, engineUrl?: string) => {
    asked = engineUrl
    return store()
  }
  const ran = await runWords(['broker', ...words, 'list'], { openStore }, '', { environment })
  return { asked, code: ran.code }
}

it.each([
  [{}, [], undefined],
  [{ EVENTSTORE_DRIVER: 'postgresql' }, [], 'postgresql://localhost/'],
  [{ EVENTSTORE_DRIVER: 'mongodb', EVENTSTORE_DB_HOST: 'db' }, [], 'mongodb://db/'],
  [{}, ['--eventstore-driver', 'postgresql', '--eventstore-db-host', 'db'], 'postgresql://db/'],
  [{ APIE_STORE: 'postgresql://u@db/x', EVENTSTORE_DRIVER: 'postgresql' }, [], undefined],
  [{ APIE_STORE: 'postgresql://u@db/x', EVENTSTORE_DRIVER: 'mongodb' }, [], 'mongodb://localhost/'],
  [{ APIE_STORE: 'memory:', APIE_DATA: '/d', EVENTSTORE_DRIVER: 'file' }, [], 'file:/d'],
])('with %j and %j it is %s', async (environment, words, expected) => {
  expect(await engineOf(environment, ...words)).toEqual({ asked: expected, code: 0 })
})

it('a driver that is not there is a wrong setting, a store that cannot be reached a failure', async () => {
  expect((await engineOf({ EVENTSTORE_DRIVER: 'oracle' })).code).toBe(2)
  const openStore = async () => {
    throw new AppError('storage-unavailable', 'The database cannot be reached')
  }
  expect(await runWords(['broker', 'list'], { openStore })).toEqual({
    code: 1,
    out: '',
    err: 'apie: The database cannot be reached [storage-unavailable]\n',
  })
})

it('what is asked of the store is told where the level is debug', async () => {
  const openStore = async () => store()
  const words = ['broker', '--eventstore-loglevel', 'debug', 'insert', 'simple', 'x']
  const { out, err } = await runWords(words, { openStore })
  expect(out).toBe('1\n')
  expect(err.replaceAll(/^\S+ /gm, '')).toBe(
    'debug insert class=simple\ndebug "insert done" class=simple\n'.replaceAll('"', ''),
  )
  expect((await runWords(['broker', 'insert', 'simple', 'x'], { openStore })).err).toBe('')
})

it.each([[['broker']], [['broker', '--json']]])('%j needs a command', async (words) => {
  expect((await runWords(words)).err).toBe(
    'apie: "apie broker" needs COMMAND [WORDS]. See "apie help broker". [usage]\n',
  )
})
