/**
 * A writer that is meant to be killed: appends until it is, and prints a line for each append that was
 * acknowledged. Arguments: folder, `lock` or `no-lock`, name, largest body in bytes, number of streams, appends,
 * and how many of them at a time.
 */
import { writeSync } from 'node:fs'
import { AppError } from '../../src/domain/app-error.ts'
import { parseEventId, parseEventType } from '../../src/domain/event.ts'
import { parseStreamName } from '../../src/domain/stream-name.ts'
import type { JsonText } from '../../src/kit/json-text.ts'
import { randomUuid } from '../../src/kit/random.ts'
import { openFolderForTest } from './store-for-kills.ts'

const words = process.argv.slice(2)
const [folder = '', lock = 'lock', name = 'w', largest = '4096', streams = '5'] = words
const [most = '1000000', callers = '1'] = words.slice(5)
const log = await openFolderForTest(folder, lock === 'lock')
let n = 0
await Promise.all(Array.from({ length: Number(callers) }, call))

async function call(): Promise<void> {
  while (n < Number(most)) await appendOne(n++)
}

async function appendOne(n: number): Promise<void> {
  const stream = `s-${Math.floor(Math.random() * Number(streams))}`
  const eventId = randomUuid()
  const pad = 'x'.repeat(Math.floor(Math.random() * Number(largest)))
  const text = JSON.stringify({ name, n, pad }) as JsonText
  writeSync(1, `try ${eventId} ${stream}\n`)
  try {
    const { events } = await log.append({
      stream: parseStreamName(stream),
      expectedVersion: { kind: 'any' },
      retryRule: 'equal-content',
      createdBy: name,
      events: [
        {
          eventId: parseEventId(eventId),
          eventType: parseEventType(`t${n % 3}`),
          body: { kind: 'json', text },
        },
      ],
    })
    writeSync(1, `ok ${eventId} ${stream} ${events[0]?.position} ${events[0]?.hash}\n`)
  } catch (error) {
    const code = error instanceof AppError ? error.code : String((error as Error).stack)
    writeSync(1, `failed ${eventId} ${code.replaceAll('\n', ' ')}\n`)
  }
}
