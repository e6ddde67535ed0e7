/** The whole log through `serve`, against a plain server that streams the files of the log as they are. */
import fs from 'node:fs'
import { join } from 'node:path'
import { download } from './download.ts'
import { copyOf, filledStore } from './filled-store.ts'
import { type Measurement, median } from './measurement.ts'
import { serveApie, servePlain } from './serving.ts'

const ROUNDS = 3

export const streamEvents: Measurement = {
  name: 'stream',
  title: 'The whole log through the standalone server',
  async run({ events }) {
    const folder = copyOf(await filledStore(events))
    const apie = await serveApie(folder)
    const plain = await servePlain(join(folder, 'log'))
    try {
      const rates: number[] = []
      const ratios: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const log = await download(plain, '/')
        const list = await download(apie, '/events')
        rates.push(events / list.seconds)
        ratios.push(list.bytes / list.seconds / (log.bytes / log.seconds))
      }
      return [
        { what: `events a second, of ${events}`, value: median(rates), unit: '/s' },
        {
          what: 'GET /events to the bare files',
          value: median(ratios),
          unit: '×',
          limit: { atLeast: 0.25 },
          note: 'bytes a second, a plain Node server streams the files',
        },
        {
          what: 'resident memory',
          value: apie.peakMiB(),
          unit: 'MiB',
          limit: { atMost: 120 },
          note: 'peak',
        },
      ]
    } finally {
      await apie.stop()
      await plain.stop()
      fs.rmSync(folder, { recursive: true })
    }
  },
}
