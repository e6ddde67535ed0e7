/** A database whose disk is full: a small disk in memory under the tables, which only root can make. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import { migratePostgres, openPostgresStore } from '../../../src/storage/postgres/engine.ts'
import { appendTo, draft, jsonBody } from '../../support/drafts.ts'
import { postgresPrograms, serverFolder, startCluster } from '../../support/postgres-cluster.ts'
import { inDatabase } from '../../support/postgres-store.ts'
import { handClock, verifyStore } from '../../support/store.ts'

const MEGABYTE = 'x'.repeat(1 << 20)

/** Takes the work of `then` away with it. */
async function withSmallDisk(then: (path: string) => Promise<void>): Promise<boolean> {
  const { path, own } = serverFolder('small-disk')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    rmSync(path, { recursive: true })
    return false
  }
  try {
    const tables = join(path, 'tables')
    mkdirSync(tables)
    own(tables)
    await then(path)
  } finally {
    execFileSync('umount', ['-l', path])
    rmSync(path, { recursive: true })
  }
  return true
}

test.skipIf(postgresPrograms() === undefined || process.getuid?.() !== 0)(
  'a full disk of the database is told as such, and all goes on once there is room',
  async ({ skip }) => {
    const isDone = await withSmallDisk(async (path) => {
      const ballast = join(path, 'ballast')
      writeFileSync(ballast, MEGABYTE.repeat(10))
      const cluster = await startCluster(['fsync=off'])
      try {
        await inDatabase(cluster.url, `CREATE TABLESPACE small LOCATION '${join(path, 'tables')}'`)
        const url = `${cluster.url}?options=${encodeURIComponent('-c default_tablespace=small')}`
        const options = { url, lockTimeoutMs: 1000, connections: 2, clock: handClock() }
        await migratePostgres(options)
        const { store } = await openPostgresStore(options)
        const event = (n: number) =>
          // Random, since the database compresses what repeats.
          ({ ...draft(n), body: jsonBody(JSON.stringify(randomText())) })
        const refused = async (work: () => Promise<unknown>): Promise<number> => {
          for (let n = 0; ; n++) {
            try {
              await work()
            } catch (error) {
              expect(error).toBeInstanceOf(AppError)
              expect(error).toMatchObject({ code: 'storage-full' })
              return n
            }
          }
        }
        let n = 0
        const stored = await refused(() => store.log.append(appendTo('s', [event(n++)])))
        expect(stored).toBeGreaterThan(0)
        expect((await store.log.head()).count).toBe(stored)
        const pieces = async function* () {
          for (let at = 0; at < 20; at++) yield Buffer.from(randomText())
        }
        const about = { filename: 'a', mediaType: 'text/plain' }
        await refused(() => store.content.put(pieces(), about))
        await verifyStore(store)
        rmSync(ballast)
        await store.log.append(appendTo('s', [event(n)]))
        expect((await store.log.head()).count).toBe(stored + 1)
        await verifyStore(store)
        await store.close()
      } finally {
        await cluster.stop()
      }
    })
    if (!isDone) skip('this machine lets nobody mount a disk')
  },
)

/** About 350 KiB. */
const randomText = (): string =>
  Array.from({ length: 32_000 }, () => Math.random().toString(36).slice(2)).join('')
