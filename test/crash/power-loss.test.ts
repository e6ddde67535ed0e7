/** The power goes before any change of the disk: what was acknowledged is there when it comes back. */
import { expect, test } from 'vitest'
import type { EventHash } from '../../src/domain/event.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { appendTo, draft, jsonBody, uuid } from '../support/drafts.ts'
import { count, crashRun, scaled, tell } from './crash-run.ts'
import { MemoryDisk } from './memory-disk.ts'
import { openLog } from './open-log.ts'
import { findViolations, type History } from './oracle.ts'
import { type Loss, PowerDisk } from './power-disk.ts'

const ROOT = '/data'

const WORKLOADS: readonly (readonly [
  what: string,
  segmentBytes: number,
  batch: number,
  boot: string,
])[] = [
  ['appends', 1 << 20, 1, 'a boot'],
  ['batches of large events', 1 << 20, 3, 'a boot'],
  ['appends that begin new files', 1500, 1, 'a boot'],
  ['appends that sync the index each time', 1 << 20, 1, ''],
]

const LOSSES: readonly Loss[] = [
  'loses all',
  'keeps all',
  ...Array<Loss>(50).fill('as chance will have it'),
]

test('power that goes before any change takes nothing that was acknowledged', async () => {
  const run = crashRun()
  const bad: string[] = []
  let states = 0
  for (const [what, segmentBytes, batch, boot] of WORKLOADS) {
    const turns = { segmentBytes, lock: 'no-lock', boot } as const
    const base = new MemoryDisk()
    const { log } = await openLog(ROOT, { ...turns, disk: base.disk })
    for (let n = 0; n < 4; n++) await log.append(appendTo(`s-${n % 2}`, [draft(n)]))
    await log.close()
    for (let offAt = 0, isOver = false; !isOver; offAt++) {
      const power = new PowerDisk(new MemoryDisk(base.image(), base.folderPaths()))
      const history: History = { stored: [], refused: new Set() }
      const opened = await openLog(ROOT, { ...turns, disk: power.disk })
      power.offAt = power.changes + offAt
      isOver = true
      try {
        for (let n = 10; n < 13; n++) {
          const body = jsonBody(JSON.stringify('x'.repeat(batch * 700)))
          const drafts = Array.from({ length: batch }, (_, at) => ({ ...draft(n * 10 + at), body }))
          const { events } = await opened.log.append(appendTo(`s-${n % 3}`, drafts))
          events.forEach(({ position, hash }, at) => {
            history.stored.push({ id: uuid(n * 10 + at), position, hash })
          })
        }
      } catch {
        isOver = false
      }
      for (const loss of LOSSES) {
        for (let again = 0; again < (loss === 'as chance will have it' ? scaled(1) : 1); again++) {
          const left = power.afterLoss(loss, run.random)
          states++
          const where = `${what}, power gone before change ${offAt}, ${loss}`
          try {
            const after = await openLog(ROOT, { ...turns, boot: 'another boot', disk: left.disk })
            const found = await findViolations(after, history)
            found.push(...(await findViolations(after, history)))
            for (const problem of found) bad.push(`${where}: ${problem}`)
          } catch (error) {
            bad.push(`${where}: ${error}`)
          }
        }
      }
    }
  }
  count('states after a loss of power', states)
  tell(`${states} states after a loss of power`)
  expect(bad.slice(0, 20)).toEqual([])
})

test('after a restart of the machine an index of which only a part was synced gives right answers', async () => {
  const run = crashRun()
  const turns = { lock: 'no-lock', segmentBytes: 1 << 20, boot: 'a boot' } as const
  const power = new PowerDisk()
  const { log } = await openLog(ROOT, { ...turns, disk: power.disk })
  const history: History = { stored: [], refused: new Set() }
  const versions = new Map<string, number>()
  const streams = new Map<string, string>()
  const count = 6000
  let sent = 0
  while (sent < count) {
    const stream = `c-${Math.floor(run.random() * 300)}`
    const drafts = Array.from({ length: 1 + Math.floor(run.random() * 8) }, () => draft(sent++))
    const { events } = await log.append(appendTo(stream, drafts))
    events.forEach(({ position, hash }, at) => {
      const id = drafts[at]?.eventId ?? ''
      history.stored.push({ id, position, hash })
      streams.set(id, stream)
    })
    versions.set(stream, (versions.get(stream) ?? -1) + events.length)
  }
  const losses: Loss[] = [
    'loses all',
    'keeps all',
    ...Array<Loss>(scaled(20)).fill('as chance will have it'),
  ]
  for (const loss of losses) {
    const left = power.afterLoss(loss, run.random)
    const after = await openLog(ROOT, { ...turns, boot: 'another boot', disk: left.disk })
    for (const [stream, version] of versions) {
      const head = await after.log.sequenceHead(streamSequence(stream))
      expect(head?.number, `${stream} after a restart that ${loss}`).toBe(version)
    }
    for (const { id, position, hash } of history.stored) {
      if (run.random() > 0.05) continue
      expect((await after.log.read(position))?.hash).toBe(hash)
      expect(await after.log.findHash(hash as EventHash)).toBe(position)
      expect((await after.log.findEventId(streams.get(id) ?? '', id))?.position).toBe(position)
    }
    expect(await findViolations(after, history)).toEqual([])
  }
  tell(`${losses.length} restarts with ${history.stored.length} events`)
})
