/** Does it stay as fast while it grows: the curve from nothing to the large log, and appends through `serve`. */
import fs from 'node:fs'
import { copyOf, filledStore, type GrowthStep } from './filled-store.ts'
import { appendLoad } from './load.ts'
import { type Measurement, median, type Row } from './measurement.ts'
import { type Serving, serveApie } from './serving.ts'

const FEW = 1000
const CONNECTIONS = 64
const ROUNDS = 5

export const growth: Measurement = {
  name: 'growth',
  title: 'While the log grows',
  async run({ events, seconds }) {
    const { growth: curve } = await filledStore(events)
    const [few, many] = [copyOf(await filledStore(FEW)), copyOf(await filledStore(events))]
    const small = await serveApie(few)
    const large = await serveApie(many)
    try {
      return [...curveRows(curve), await compare(small, large, events, seconds)]
    } finally {
      await small.stop()
      await large.stop()
      fs.rmSync(few, { recursive: true })
      fs.rmSync(many, { recursive: true })
    }
  },
}

function curveRows(curve: readonly GrowthStep[]): Row[] {
  const rates = curve.map(({ perSecond }) => perSecond)
  const tenth = Math.max(1, Math.floor(rates.length / 10))
  const [first, last] = [median(rates.slice(0, tenth)), median(rates.slice(-tenth))]
  return [
    {
      what: 'longest append while growing',
      value: Math.max(...curve.map(({ worstMs }) => worstMs)),
      unit: 'ms',
      limit: { atMost: 250 },
      note: 'in process, 64 at a time, synced',
    },
    { what: 'appends, first tenth', value: first, unit: '/s' },
    { what: 'appends, last tenth', value: last, unit: '/s' },
    { what: 'last tenth to first tenth', value: last / first, unit: '×' },
  ]
}

async function compare(
  small: Serving,
  large: Serving,
  events: number,
  seconds: number,
): Promise<Row> {
  const ratios: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const few = await appendLoad(small, CONNECTIONS, seconds)
    const many = await appendLoad(large, CONNECTIONS, seconds)
    if (round > 0) ratios.push(many.perSecond / few.perSecond)
  }
  return {
    what: `appends of serve, at ${events} events to ${FEW}`,
    value: median(ratios),
    unit: '×',
    limit: { atLeast: 0.8 },
    note: `${CONNECTIONS} connections`,
  }
}
