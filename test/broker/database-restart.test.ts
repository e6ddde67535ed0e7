/** Commands that go on until they are interrupted, while the database under them is killed and comes back. */
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../support/broker.ts'
import { PROJECT, type Run, run, start } from '../support/executable.ts'
import { postgresPrograms, startCluster } from '../support/postgres-cluster.ts'

const MAIN = join(PROJECT, 'src/main.ts')

test.skipIf(postgresPrograms() === undefined)(
  'watch and watch-requests go on behind a restart of the database and miss nothing',
  async () => {
    const cluster = await startCluster()
    try {
      const environment = { PATH: '/usr/bin:/bin', APIE_STORE: cluster.url }
      const apie = (...words: string[]): Promise<Run> =>
        run(process.execPath, [MAIN, ...words], { environment, limitMs: 30_000 })
      const insert = (text: string) => apie('broker', 'insert', 'request', text)
      const watch = (...words: string[]) => {
        const child = start(process.execPath, [MAIN, 'broker', ...words], { environment })
        let out = ''
        let err = ''
        child.stdout?.on('data', (chunk: Buffer) => {
          out += chunk
        })
        child.stderr?.on('data', (chunk: Buffer) => {
          err += chunk
        })
        return { child, out: () => out, err: () => err }
      }
      expect((await apie('migrate')).status).toBe(0)
      await insert('a')
      const watches = [watch('watch'), watch('watch-requests')] as const
      await until('both watch', () => watches[0].err() !== '' && watches[1].out() !== '')
      await insert('b')
      await until('the second is told', () => watches[0].out() !== '')
      await cluster.kill()
      await until('both know', () => watches.every(({ err }) => err().includes('unavailable')))
      await cluster.start()
      await insert('c')
      await insert('d')
      await until('all was told', () => watches.every(({ out }) => /^ *4\b/m.test(out())))
      for (const { child } of watches) child.kill('SIGTERM')
      const codes = await Promise.all(watches.map(({ child }) => once(child, 'close')))
      expect(codes).toEqual([
        [0, null],
        [0, null],
      ])
      expect(watches[0].out()).toBe('2\n3\n4\n')
      expect(
        watches[1]
          .out()
          .match(/^ *\d+/gm)
          ?.map(Number),
      ).toEqual([1, 2, 3, 4])
    } finally {
      await cluster.stop()
    }
  },
)
