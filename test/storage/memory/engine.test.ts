import { expect, test } from 'vitest'
import { sequencesOf, streamSequence, typeSequence } from '../../../src/domain/sequence.ts'
import { createMemoryStore } from '../../../src/storage/memory/engine.ts'
import { appendTo, draft } from '../../support/drafts.ts'
import { handClock, verifyStore } from '../../support/store.ts'

test('the sequence rule it is given says which sequences an event belongs to', async () => {
  const store = createMemoryStore({
    clock: handClock(),
    sequenceRule: (member) => sequencesOf(member).slice(0, 1),
  })
  await store.log.append(appendTo('order-1', [draft(1)]))
  expect(await store.log.sequenceHead(streamSequence('order-1'))).toEqual({
    number: 0,
    position: 0,
  })
  expect(await store.log.sequenceHead(typeSequence('x'))).toBeUndefined()
  await verifyStore(store)
})

test('a verification finds an event whose bytes were changed', async () => {
  const store = createMemoryStore({ clock: handClock() })
  const { events } = await store.log.append(appendTo('s', [draft(1), draft(2)]))
  const json = events[0]?.json ?? new Uint8Array()
  json[Buffer.from(json).indexOf('"n":1') + 4] = 50
  const { findings } = await store.log.verify()
  expect(findings).toMatchObject([{ kind: 'damage', position: 0 }])
})
