/** A data folder whose log is one long stream, kept like those of `filled-store.ts`. */
import fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { appendOf } from './events.ts'
import { type FilledStore, openStore, sourceDigest } from './filled-store.ts'
import { say } from './measurement.ts'

const KEPT = fileURLToPath(new URL('../build/bench-data', import.meta.url))
const BATCH = 1000

/** Name of the stream; its events are those of `events.ts`. */
export const DEEP_STREAM = 'order-0'

/** A store of one stream of `events` events; filled now unless one is kept. */
export async function deepStore(events: number): Promise<FilledStore> {
  const kept = join(KEPT, `${sourceDigest()}-deep-${events}`)
  const folder = join(kept, 'data')
  const mark = join(kept, 'whole')
  if (!fs.existsSync(mark)) {
    fs.rmSync(kept, { recursive: true, force: true })
    fs.mkdirSync(kept, { recursive: true })
    say(`  filling a stream with ${events} events`)
    await fill(folder, events)
    fs.writeFileSync(mark, '')
  }
  return { folder, growth: [] }
}

async function fill(folder: string, events: number): Promise<void> {
  const store = await openStore(folder)
  for (let from = 0; from < events; from += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, events - from) }, (_, at) => from + at)
    const drafts = numbers.flatMap((n) => appendOf(n).events)
    await store.log.append({ ...appendOf(0), events: drafts })
  }
  await store.close()
}
