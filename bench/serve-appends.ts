/** Appends through `serve`, synced: 64 connections against one, and against a server that stores nothing. */
import fs from 'node:fs'
import { copyOf, filledStore } from './filled-store.ts'
import { appendLoad, type Rate } from './load.ts'
import { type Measurement, median, type Row } from './measurement.ts'
import { serveApie, servePlain } from './serving.ts'

const CONNECTIONS = 64
const ROUNDS = 6

export const serveAppends: Measurement = {
  name: 'serve',
  title: 'Appends through the standalone server',
  async run({ seconds }) {
    const folder = copyOf(await filledStore(1000))
    const apie = await serveApie(folder)
    const plain = await servePlain(folder)
    try {
      const rounds: { one: Rate; many: Rate; ok: Rate }[] = []
      for (let round = 0; round < ROUNDS; round++) {
        rounds.push({
          one: await appendLoad(apie, 1, seconds),
          many: await appendLoad(apie, CONNECTIONS, seconds),
          ok: await appendLoad(plain, CONNECTIONS, seconds),
        })
      }
      // The first round warms the servers up.
      return rows(rounds.slice(1), apie.peakMiB())
    } finally {
      await apie.stop()
      await plain.stop()
      fs.rmSync(folder, { recursive: true })
    }
  },
}

function rows(
  rounds: readonly { readonly one: Rate; readonly many: Rate; readonly ok: Rate }[],
  peakMiB: number,
): Row[] {
  const rate = (name: 'one' | 'many' | 'ok'): number =>
    median(rounds.map((round) => round[name].perSecond))
  const ratio = (to: 'one' | 'ok'): number =>
    median(rounds.map((round) => round.many.perSecond / round[to].perSecond))
  return [
    { what: 'appends, 1 connection', value: rate('one'), unit: '/s' },
    { what: `appends, ${CONNECTIONS} connections`, value: rate('many'), unit: '/s' },
    { what: 'plain Node server that answers "ok"', value: rate('ok'), unit: '/s' },
    {
      what: `${CONNECTIONS} connections to 1`,
      value: ratio('one'),
      unit: '×',
      limit: { atLeast: 4 },
    },
    {
      what: 'appends to plain Node server',
      value: ratio('ok'),
      unit: '×',
      limit: { atLeast: 0.5 },
      note: 'same client, same bodies',
    },
    {
      what: 'longest answer',
      value: Math.max(...rounds.map(({ many }) => many.worstMs)),
      unit: 'ms',
      note: `${CONNECTIONS} connections`,
    },
    { what: 'resident memory', value: peakMiB, unit: 'MiB', note: 'peak' },
  ]
}
