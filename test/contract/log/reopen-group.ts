import { describe, expect, test } from 'vitest'
import { parseEventId } from '../../../src/domain/event.ts'
import { streamSequence } from '../../../src/domain/sequence.ts'
import { appendTo, draft, textOf, uuid } from '../../support/drafts.ts'
import type { Engine } from '../../support/store.ts'
import type { Open } from './open.ts'

/** What is there after the store was closed and opened again. */
export function reopenGroup(engine: Engine, open: Open): void {
  if (engine.persistence.kind === 'none') return
  describe('reopening', () => {
    test('events, head and views are there again, and appends go on behind them', async () => {
      const opened = await open()
      const { events } = await opened.store.log.append(appendTo('s', [draft(1), draft(2)]))
      const head = await opened.store.log.head()
      const { log } = await opened.reopen()
      expect(await log.head()).toEqual(head)
      expect(textOf(await log.read(1))).toBe(textOf(events[1]))
      expect(await log.sequenceHead(streamSequence('s'))).toEqual({ number: 1, position: 1 })
      expect(await log.findEventIdAnywhere(parseEventId(uuid(2)))).toBe(1)
      expect((await log.append(appendTo('s', [draft(2)]))).kind).toBe('already-there')
      const next = await log.append(
        appendTo('s', [draft(3)], { expectedVersion: { kind: 'version', version: 1 } }),
      )
      expect(next.events[0]?.position).toBe(2)
    })

    test('the time of events does not go back over a reopening', async () => {
      const opened = await open()
      await opened.store.log.append(appendTo('s', [draft(1)]))
      opened.clock.nowMs = 0
      const { log } = await opened.reopen()
      const { events } = await log.append(appendTo('s', [draft(2)]))
      expect(textOf(events[0])).toContain('"createdAt":"2020-01-01T00:00:00.000Z"')
    })
  })
}
