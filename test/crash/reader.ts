/**
 * A reader that is meant to be killed: follows the log from a position on and prints a line for each event.
 * Arguments: folder, position.
 */
import { writeSync } from 'node:fs'
import { parseStoredEvent } from '../../src/domain/event.ts'
import { openFolderForTest } from './store-for-kills.ts'

const [folder = '', from = '0'] = process.argv.slice(2)
const log = await openFolderForTest(folder, true)
for (let next = Number(from); ; ) {
  const { count } = await log.head()
  for await (const run of log.readLog(next, count, 'forwards')) {
    for (const stored of run) {
      parseStoredEvent(stored)
      writeSync(1, `${stored.position} ${stored.hash}\n`)
      next = stored.position + 1
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 5))
}
