/** Compares every view of an engine with the model. */
import { expect } from 'vitest'
import { EMPTY_HASH } from '../../../src/domain/event.ts'
import type { LogEngine } from '../../../src/domain/ports.ts'
import type { SequenceKey } from '../../../src/domain/sequence.ts'
import { appendTo, draft, membersOf } from '../../support/drafts.ts'
import { collect } from '../../support/store.ts'
import type { Model } from './model.ts'

/** Where readers begin and end: a few numbers around what is there. */
export type Probe = { readonly from: number; readonly limit: number }

export async function expectEqual(log: LogEngine, model: Model, probe: Probe): Promise<void> {
  await expectEqualLog(log, model, probe)
  await expectEqualLookups(log, model)
  for (const [key, positions] of model.sequences()) {
    await expectEqualSequence(log, key as SequenceKey, positions, probe)
  }
}

async function expectEqualLog(log: LogEngine, model: Model, { from, limit }: Probe): Promise<void> {
  const count = model.events.length
  expect((await log.head()).count).toBe(count)
  const last = await log.read(Math.max(count - 1, 0))
  expect((await log.head()).hash).toBe(last?.hash ?? EMPTY_HASH)
  for (const [position, event] of model.events.entries()) {
    expect(membersOf(await log.read(position))).toMatchObject({
      position,
      stream: event.stream,
      version: event.version,
      eventType: event.type,
      eventId: draft(event.id).eventId,
      body: JSON.parse(event.body),
    })
  }
  const expected = [...model.events.keys()].slice(from, from + limit)
  for (const direction of ['forwards', 'backwards'] as const) {
    const runs = await collect(positionsOf(log, from, from + limit, direction))
    expect(runs.flat()).toEqual(direction === 'forwards' ? expected : expected.toReversed())
  }
}

async function* positionsOf(
  log: LogEngine,
  ...bounds: Parameters<LogEngine['readLog']>
): AsyncGenerator<number[]> {
  for await (const run of log.readLog(...bounds)) yield run.map(({ position }) => position)
}

async function expectEqualLookups(log: LogEngine, model: Model): Promise<void> {
  for (const [position, { stream, id }] of model.events.entries()) {
    const stored = await log.read(position)
    expect(await log.findHash(stored?.hash ?? EMPTY_HASH)).toBe(position)
    expect((await log.findEventId(appendTo(stream, []).stream, draft(id).eventId))?.position).toBe(
      position,
    )
  }
}

async function expectEqualSequence(
  log: LogEngine,
  key: SequenceKey,
  positions: readonly number[],
  { from, limit }: Probe,
): Promise<void> {
  const members = positions.map((position, number) => [number, position])
  expect(await log.sequenceHead(key)).toEqual({
    number: positions.length - 1,
    position: positions.at(-1),
  })
  for (const [start, most] of [
    [0, 1000],
    [from, limit],
  ] as const) {
    const forwards = await log.readSequence(key, start, 'forwards', most)
    expect(forwards.map(({ number, event }) => [number, event.position])).toEqual(
      members.slice(start, start + most),
    )
    const backwards = await log.readSequence(key, start, 'backwards', most)
    expect(backwards.map(({ number, event }) => [number, event.position])).toEqual(
      members
        .slice(0, start + 1)
        .toReversed()
        .slice(0, most),
    )
  }
}
