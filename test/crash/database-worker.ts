/** A worker as `worker.ts` is, whose log is in a database: its URL is the argument. */
import { createInterface } from 'node:readline'
import { readSettings } from '../../src/config.ts'
import { openStorage } from '../../src/storage/open.ts'
import { answerTo } from './worker-answers.ts'
import type { Command } from './workers.ts'

const [url = ''] = process.argv.slice(2)
const { store } = await openStorage({
  settings: readSettings({ options: { store: url } }),
  clock: { now: () => Date.now() },
  mode: 'existing',
  serves: 'many-requests',
})

createInterface({ input: process.stdin })
  .on('line', (line) => {
    void answerTo(store.log, JSON.parse(line) as Command).then((answer) => {
      process.stdout.write(`${JSON.stringify(answer)}\n`)
    })
  })
  .on('close', () => void store.close())
