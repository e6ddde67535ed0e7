import { describe, expect, it } from 'vitest'
import type { Progress } from '../../src/domain/ports.ts'
import { createScavengeRuns, noteScavenge, type Scavenge } from '../../src/domain/scavenge-runs.ts'
import { createMemoryStore } from '../../src/storage/memory/engine.ts'
import { handClock } from '../support/store.ts'
import { codeOf } from '../support/test-accounts.ts'

/** A scavenge that goes on until it is told how it ends. */
function heldScavenge() {
  let end: (bytes: number) => void = () => {}
  let fail: (error: Error) => void = () => {}
  let progress: Progress = () => {}
  let signal = new AbortController().signal
  const scavenge: Scavenge = (said, stopping) => {
    progress = said
    signal = stopping
    return new Promise((resolve, reject) => {
      end = (reclaimedBytes) => resolve({ reclaimedBytes })
      fail = reject
    })
  }
  return {
    scavenge,
    end: (bytes: number) => end(bytes),
    fail: () => fail(new Error('broken')),
    progress: () => progress(1, 2),
    isStopped: () => signal.aborted,
  }
}

function open(waits = false) {
  const clock = handClock()
  const { records } = createMemoryStore({ clock })
  const held = heldScavenge()
  const reported: unknown[] = []
  const report = (id: string, error: unknown) => void reported.push([id, error])
  const another = () =>
    createScavengeRuns({ records, clock, scavenge: held.scavenge, waits, report })
  return { clock, records, held, another, reported, runs: another() }
}

/** Everything that was asked for before is through. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('runs of scavenging', () => {
  it('go on one at a time, across processes', async () => {
    const { runs, another, held } = open()
    const id = await runs.start('ann')
    expect(await codeOf(runs.start('ann'))).toBe('scavenge-running')
    expect(await codeOf(another().start('bob'))).toBe('scavenge-running')
    expect(await runs.current()).toMatchObject({ id, startedBy: 'ann', state: 'running' })
    held.end(123)
    await settled()
    expect(await runs.current()).toBeUndefined()
    expect(await runs.last()).toMatchObject({ id, state: 'done', reclaimedBytes: 123 })
    expect(await runs.start('bob')).not.toBe(id)
  })

  it('of two that start at once only one is let through', async () => {
    const { runs, another } = open()
    const codes = await Promise.all([codeOf(runs.start('ann')), codeOf(another().start('bob'))])
    expect(codes.sort()).toEqual(['scavenge-running', undefined])
  })

  it('that were left behind by a clock of the future keep nobody from starting', async () => {
    const { runs, another, clock } = open()
    await runs.start('ann')
    clock.nowMs -= 86_400_000
    expect(await codeOf(another().start('bob'))).toBeUndefined()
  })

  it('are waited for where the process ends with the request', async () => {
    const { runs, held } = open(true)
    const starting = runs.start('ann')
    await settled()
    held.end(5)
    const id = await starting
    expect(await runs.last()).toMatchObject({ id, state: 'done', reclaimedBytes: 5 })
  })

  it('that were made without asking are told of as the last one, but never in place of one that goes on', async () => {
    const { runs, held, records, clock } = open()
    const note = (reclaimedBytes: number) =>
      noteScavenge(records, clock, { startedAtMs: 1000, reclaimedBytes })
    await note(7)
    expect(await runs.last()).toMatchObject({ state: 'done', startedAtMs: 1000, reclaimedBytes: 7 })
    const id = await runs.start('ann')
    await note(8)
    expect(await runs.last()).toMatchObject({ id, state: 'running' })
    held.end(9)
    await settled()
    await note(10)
    expect(await runs.last()).toMatchObject({ state: 'done', reclaimedBytes: 10 })
  })

  it('stop when they are told to', async () => {
    const { runs, another, held, clock } = open()
    const id = await runs.start('ann')
    expect(await another().stop('other')).toBe(false)
    expect(await another().stop(id)).toBe(true)
    expect(held.isStopped()).toBe(false)
    clock.nowMs += 1000
    held.progress()
    await settled()
    expect(held.isStopped()).toBe(true)
    held.end(1)
    await settled()
    expect(await runs.last()).toMatchObject({ state: 'stopped' })
    expect(await runs.stop(id)).toBe(false)
  })

  it('that show no sign of life make room, and those that do are let alone', async () => {
    const { runs, another, held, clock } = open()
    const first = await runs.start('ann')
    clock.nowMs += 59_000
    held.progress()
    await settled()
    clock.nowMs += 59_000
    expect(await codeOf(another().start('bob'))).toBe('scavenge-running')
    clock.nowMs += 1000
    const second = await another().start('bob')
    expect(second).not.toBe(first)
    expect(await runs.current()).toMatchObject({ id: second })
  })

  it('whose place was taken stop, and do not tell of the other one', async () => {
    const { clock, records, another } = open()
    const slow = heldScavenge()
    const slowly = createScavengeRuns({
      records,
      clock,
      scavenge: slow.scavenge,
      waits: false,
      report: () => {},
    })
    await slowly.start('ann')
    clock.nowMs += 60_000
    const id = await another().start('bob')
    slow.progress()
    await settled()
    expect(slow.isStopped()).toBe(true)
    slow.end(9)
    await settled()
    expect(await slowly.last()).toMatchObject({ id, state: 'running' })
  })

  it('that fail say so, and the next one may start', async () => {
    const { runs, held, reported } = open()
    const id = await runs.start('ann')
    held.fail()
    await settled()
    expect(await runs.last()).toMatchObject({ state: 'failed' })
    expect(reported).toEqual([[id, new Error('broken')]])
    await runs.start('ann')
  })

  it('with nothing to reclaim are over at once', async () => {
    const clock = handClock()
    const { records } = createMemoryStore({ clock })
    const scavenge = async () => ({ reclaimedBytes: 0 })
    const runs = createScavengeRuns({ records, clock, scavenge, waits: true, report: () => {} })
    const id = await runs.start('ann')
    expect(await runs.last()).toMatchObject({ id, state: 'done', reclaimedBytes: 0 })
  })
})
