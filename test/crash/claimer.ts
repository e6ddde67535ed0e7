/**
 * Claims streams as a producer, one a line of standard input, and says for each whether it became the owner.
 * Arguments: folder, producer.
 */
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { AppError } from '../../src/domain/app-error.ts'
import { parseProducerId } from '../../src/domain/producer.ts'
import { randomUuid } from '../../src/kit/random.ts'
import { appendTo, draft } from '../support/drafts.ts'
import { openLog } from './open-log.ts'

const [root = '', id = ''] = process.argv.slice(2)
const { log } = await openLog(root)
const producer = parseProducerId(id)
createInterface({ input: process.stdin }).on('line', async (stream) => {
  try {
    const event = { ...draft(0), eventId: randomUuid() as never }
    await log.append(appendTo(stream, [event], { producer, claims: true }))
    writeSync(1, `${stream} owner\n`)
  } catch (error) {
    writeSync(1, `${stream} ${error instanceof AppError ? error.code : error}\n`)
  }
})
