/** What the built program is asked to do while its system calls fail, and what must hold of the folder then. */
import { mkdirSync, rmSync } from 'node:fs'
import { uuid } from '../support/drafts.ts'
import { addAccount, EXECUTABLE, type Run, run } from '../support/executable.ts'
import type { ExecutableStore } from './executable-store.ts'

/** Programs and words before the executable, such as `strace`. */
type Around = readonly string[]

export type Attempt = {
  /** `stored`, `unknown`, or what refused it. */
  readonly told: string
  /** Does it again without a fault. @returns what is wrong then */
  again(): Promise<string[]>
}

export type Operation = {
  readonly what: string
  /** Names below the data folder that it makes. */
  readonly makes: readonly string[]
  /** Makes the folder ready, once for all faults. */
  prepare(store: ExecutableStore): Promise<void>
  attempt(store: ExecutableStore, around: Around): Promise<Attempt>
}

const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
const BLOB = `content/2c/${HELLO}`
const LOG = ['log/suspect', 'locks/log.lock', 'log/00000002.log', 'log/00000003.log', 'format']
const RECORDS = ['records/log/00000001.log', 'records/log/suspect', 'locks/records.lock']

/** A command of the program on the folder of a store. */
function command(store: ExecutableStore, words: readonly string[], around: Around = []) {
  const [program = '', ...more] = [...around, EXECUTABLE]
  return run(program, [...more, ...words, '--data', store.root], { limitMs: 60_000 })
}

/** A command that failed may have done its work or not; done again it must succeed. */
async function commandTwice(
  store: ExecutableStore,
  words: readonly string[],
  around: Around,
  isDone: (ended: Run) => boolean = ({ status }) => status === 0,
): Promise<Attempt> {
  const { status } = await command(store, words, around)
  const again = async () => {
    const ended = await command(store, words)
    return isDone(ended) ? [] : [`again: exit ${ended.status} ${ended.out}${ended.err}`]
  }
  return { told: status === 0 ? 'stored' : `exit ${status}`, again }
}

function append(what: string, variables: Readonly<Record<string, string>>, pad: number): Operation {
  const sent = { variables, pad }
  return {
    what,
    makes: LOG,
    prepare: async (store) => {
      for (let n = 0; n < 5; n++) await store.append(sent)
    },
    attempt: async (store, around) => {
      const first = await store.append({ ...sent, around })
      const again = async () => {
        const second = await store.append({ ...sent, id: first.id })
        return second.kind === 'stored' ? [] : [`again ${JSON.stringify(second)}`]
      }
      return { told: first.kind === 'refused' ? first.code : first.kind, again }
    },
  }
}

const upload: Operation = {
  what: 'an upload',
  makes: ['content/2c', `${BLOB}.blob`, `${BLOB}.json`, 'tmp'],
  prepare: async (store) => void (await store.append()),
  attempt: async (store, around) => {
    const put = (sent = {}) => store.ask('PUT', '/storage/a.txt', 'hello', sent)
    const first = await put({ around })
    const isThere = async () => (await store.ask('GET', `/storage/${HELLO}`, undefined)).text
    const before = await isThere()
    const told = first.status === 200 ? 'stored' : `status ${first.status}`
    const wrong = first.status === 200 && before !== 'hello' ? [`it is not there: ${before}`] : []
    const again = async () => {
      const { status, text } = await put()
      const after = await isThere()
      return status === 200 && after === 'hello' ? wrong : [...wrong, `again ${status} ${text}`]
    }
    return { told, again }
  },
}

const account: Operation = {
  what: 'a new account',
  makes: RECORDS,
  prepare: async (store) => {
    await store.append()
    await addAccount(EXECUTABLE, store.root, 'ann@example.org', 'admin')
  },
  attempt: async (store, around) => {
    const words = ['user', 'add', 'bob@example.org', '--role', 'reader', '--generate']
    const isThere = ({ status, err }: Run) => status === 0 || /already|exists|is there/i.test(err)
    const done = await commandTwice(store, words, around, isThere)
    const again = async () => {
      const wrong = await done.again()
      const { out } = await command(store, ['user', 'list'])
      const names = ['ann@example.org', 'bob@example.org'].filter((name) => !out.includes(name))
      return [...wrong, ...names.map((name) => `${name} is missing`)]
    }
    return { ...done, again }
  },
}

const scavenge: Operation = {
  what: 'a scavenge',
  makes: LOG,
  prepare: async (store) => {
    for (let n = 0; n < 4; n++)
      await store.append({ stream: n % 2 === 0 ? 's' : 'gone', pad: 2000 })
    const variables = {
      CONTENT_TYPE: 'application/json',
      HTTP_ES_EVENTTYPE: '$metadata',
      HTTP_ES_EVENTID: uuid(1),
    }
    const told = await store.ask('POST', '/streams/gone/metadata', '{"$tb":100}', { variables })
    if (told.status !== 201) throw new Error(`not cut off: ${told.out}`)
  },
  attempt: (store, around) => commandTwice(store, ['scavenge'], around),
}

const restore: Operation = {
  what: 'an import',
  makes: LOG,
  prepare: async (store) => {
    // Beside the events that are imported stands nothing: a store must be empty, or hold their beginning.
    for (let n = 0; n < 4; n++) await store.append()
    const { status, err } = await command(store, ['export', `${store.root}/tmp/exported`])
    if (status !== 0) throw new Error(`not exported: ${err}`)
    for (const name of ['log', 'index']) rmSync(`${store.root}/${name}`, { recursive: true })
    mkdirSync(`${store.root}/log`, { mode: 0o700 })
  },
  attempt: (store, around) => commandTwice(store, ['import', `${store.root}/tmp/exported`], around),
}

export const OPERATIONS: readonly Operation[] = [
  append('an append', {}, 0),
  append('an append that begins a file', { APIE_SEGMENT_BYTES: '4096' }, 1500),
  upload,
  account,
  scavenge,
  restore,
]
