/**
 * The executable under Apache and as a server, while its processes and those of the web server are killed: what
 * was answered is there, what was not is there whole or not at all.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { randomUuid } from '../../src/kit/random.ts'
import { type Apache, startApache } from '../support/apache.ts'
import { describeVariants, VARIANTS } from '../support/apache-variants.ts'
import { until } from '../support/use-apache.ts'
import { count, crashRun, type Random, scaled, tell } from './crash-run.ts'
import { ExecutableStore } from './executable-store.ts'

const CLIENTS = 6
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Processes whose parent is this one. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => parentOf(child) === pid)
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined
  }
}

function kill(pids: readonly number[]): number {
  let killed = 0
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
      killed++
    } catch {
      // It has ended in between.
    }
  }
  return killed
}

/** Some of the programs, or some of those that start them. */
function killSome(apache: Apache, random: Random): { programs: number; servers: number } {
  const isSome = () => random() < 0.5
  if (random() < 0.9) return { programs: kill(apache.processes().filter(isSome)), servers: 0 }
  const servers = childrenOf(apache.pid).filter(isSome)
  return { programs: 0, servers: kill(servers) }
}

const KILLED = VARIANTS.filter(({ suexec }) => !suexec)

describeVariants(
  'under Apache',
  (variant) => {
    test('kills of programs and of the processes that start them lose nothing acknowledged', async () => {
      const run = crashRun()
      const apache = await startApache({ variant, shape: 'script-alias' })
      const store = new ExecutableStore(join(run.folder(), 'data'))
      const kills = { programs: 0, servers: 0 }
      const enough = scaled(100)
      const isEnough = () => kills.programs + kills.servers >= enough
      const server = { url: apache.url, authorization: apache.authorization }
      try {
        const clients = Array.from({ length: CLIENTS }, async (_, client) => {
          for (let n = 0; !isEnough(); n++) {
            const pad = run.random() < 0.1 ? 300_000 : Math.floor(run.random() * 3000)
            const outcome = await store.append({ server, pad, stream: `s-${client % 3}` })
            // As a client does that was not answered.
            if (outcome.kind === 'unknown' && n % 2 === 0)
              await store.append({ server, id: outcome.id, pad, stream: `s-${client % 3}` })
          }
        })
        const killing = (async () => {
          while (!isEnough()) {
            await pause(run.random() * 250)
            const more = killSome(apache, run.random)
            kills.programs += more.programs
            kills.servers += more.servers
          }
        })()
        await Promise.all([...clients, killing])
        await until(() => apache.processes().length === 0, 60_000)
        // Whoever writes next needs no help.
        expect((await store.append({ server, id: randomUuid() })).kind).toBe('stored')
        execFileSync('cp', ['-r', apache.dataFolder, store.root])
        execFileSync('chmod', ['700', store.root])
      } finally {
        await apache.stop()
      }
      count('kills under Apache', kills.programs + kills.servers)
      tell(
        `${kills.programs} programs and ${kills.servers} processes of Apache killed, ` +
          `${store.history.stored.length} acknowledged`,
      )
      expect(await store.findViolations()).toEqual([])
    })
  },
  KILLED,
)

test('kills of a server in the middle of batches lose nothing acknowledged', async () => {
  const run = crashRun()
  const store = new ExecutableStore(join(run.folder(), 'data'))
  const kills = scaled(20)
  for (let round = 0; round < kills; round++) {
    const server = await store.serve()
    const clients = Array.from({ length: 8 }, async (_, client) => {
      while (!server.hasEnded()) await store.append({ server, stream: `s-${client % 3}` })
    })
    await pause(run.random() * 300)
    await server.kill('SIGKILL')
    await Promise.all(clients)
  }
  count('kills of a server', kills)
  tell(`${kills} servers killed, ${store.history.stored.length} acknowledged`)
  expect(store.history.stored.length).toBeGreaterThan(0)
  expect(await store.findViolations()).toEqual([])
})
