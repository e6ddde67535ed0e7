/**
 * One of several processes on one database: appends events of its own and races for the versions of a
 * stream. Arguments: URL, number of this process, events. Prints what was acknowledged, a JSON line each.
 */
import { readSettings } from '../../src/config.ts'
import { AppError } from '../../src/domain/app-error.ts'
import { openStorage } from '../../src/storage/open.ts'
import { appendTo, draft } from '../support/drafts.ts'

const [url = '', own = '0', events = '0'] = process.argv.slice(2)
const writer = Number(own)
const { store } = await openStorage({
  settings: readSettings({ options: { store: url } }),
  clock: { now: () => Date.now() },
  mode: 'existing',
  serves: 'command',
})
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

async function appendOwn(lane: number): Promise<void> {
  for (let n = lane; n < Number(events); n += 4) {
    const id = writer * 1_000_000 + n
    const outcome = await store.log.append(appendTo(`own-${writer}`, [draft(id)]))
    tell({ id, position: outcome.events[0]?.position })
  }
}

async function race(): Promise<void> {
  for (let version = -1; version < 30; ) {
    const id = writer * 1_000_000 + 500_000 + version
    const expectedVersion =
      version < 0 ? ({ kind: 'no-stream' } as const) : ({ kind: 'version', version } as const)
    try {
      await store.log.append(appendTo('race', [draft(id)], { expectedVersion }))
      tell({ id, won: version })
      version++
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'wrong-expected-version') throw error
      version = Number(error.facts['current'])
    }
  }
}

await Promise.all([race(), ...[0, 1, 2, 3].map(appendOwn)])
await store.close()
