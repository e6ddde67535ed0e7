/**
 * The npm package `geteventstore-promise`, made for another server, against this one: each of its calls over
 * HTTP but those about projections. The tests of one server build on each other, as the package's own do.
 */
import { randomUUID } from 'node:crypto'
import { EventFactory, type HTTPClient, type NewEvent } from 'geteventstore-promise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  CLIENT_SERVERS,
  type ClientServer,
  type ClientServerKind,
} from '../support/client-servers.ts'

const factory = new EventFactory()
const TYPE = 'TestEventType'
const newStream = (name = 'TestStream') => `${name}-${randomUUID()}`
const newEvents = (count: number): NewEvent[] =>
  Array.from({ length: count }, (_, id) => factory.newEvent(TYPE, { id }))

type Read = { readonly data: { readonly id: number }; readonly created: string }
const idsOf = (events: readonly unknown[]) => (events as Read[]).map(({ data }) => data.id)
const upTo = (count: number, from = 0) => Array.from({ length: count - from }, (_, n) => from + n)

/** What a fetch of messages comes back as. */
type Fetched = {
  readonly entries: readonly {
    readonly event: { readonly data: { readonly id: number } }
    ack(): Promise<unknown>
    nack(): Promise<unknown>
  }[]
  ackAll(): Promise<unknown>
}

for (const kind of CLIENT_SERVERS) {
  describe.skipIf(kind.missing !== undefined)(`geteventstore-promise with ${kind.name}`, () => {
    let server: ClientServer | undefined
    beforeAll(async () => {
      server = await kind.open()
    })
    afterAll(() => server?.stop())
    const running = (): ClientServer => {
      if (!server) throw new Error('the server is not running')
      return server
    }
    clientTests(kind, running, () => running().client)
  })
}

function clientTests(
  kind: ClientServerKind,
  server: () => ClientServer,
  client: () => HTTPClient,
): void {
  /** A stream of its own with so many events, written in one call. */
  const filled = async (count: number, name?: string): Promise<string> => {
    const stream = newStream(name)
    await client().writeEvents(stream, newEvents(count))
    return stream
  }

  describe('checkStreamExists', () => {
    it('is true for a stream that was written, false for one that was not', async () => {
      const stream = newStream()
      await client().writeEvent(stream, TYPE, { id: 0 })
      expect(await client().checkStreamExists(stream)).toBe(true)
      expect(await client().checkStreamExists(newStream())).toBe(false)
    })

    it('passes the error of a connection on', async () => {
      const asking = server().lost.checkStreamExists(newStream())
      await expect(asking).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    })
  })

  describe('deleteStream', () => {
    it('softly: the stream is gone, and comes back when it is written', async () => {
      const stream = await filled(1)
      await client().deleteStream(stream)
      expect(await client().checkStreamExists(stream)).toBe(false)
      await client().writeEvent(stream, TYPE, { id: 1 })
      expect(idsOf(await client().getEvents(stream, 0, 10))).toEqual([1])
    })

    it('of a category, which is there as soon as a stream of it', async () => {
      await filled(1, 'TestDeletedStream')
      const category = '$ce-TestDeletedStream'
      expect(await client().checkStreamExists(category)).toBe(true)
      await client().deleteStream(category)
      expect(await client().checkStreamExists(category)).toBe(false)
    })

    it('hard: nothing can be done with the stream any more', async () => {
      const stream = await filled(1)
      await client().deleteStream(stream, true)
      await expect(client().checkStreamExists(stream)).rejects.toThrow('410')
      await expect(client().writeEvent(stream, TYPE, { id: 1 })).rejects.toMatchObject({
        response: { status: 410 },
      })
    })

    it('of a stream that is not there is refused by the client', async () => {
      await expect(client().deleteStream(newStream())).rejects.toThrow('Stream does not exist')
    })
  })

  describe('getAllStreamEvents', () => {
    it('reads a thousand events that one call wrote', async () => {
      const stream = await filled(1000)
      const events = (await client().getAllStreamEvents(stream)) as unknown as Read[]
      expect(idsOf(events)).toEqual(upTo(1000))
      expect(events[0]?.created).toMatch(/^\d{4}-\d\d-\d\dT/)
    })

    it('reads chunks from a place in the stream to its head', async () => {
      const stream = await filled(1000)
      expect(idsOf(await client().getAllStreamEvents(stream, 250, 500))).toEqual(upTo(1000, 500))
    })

    it('without bodies where they are not asked for', async () => {
      const stream = await filled(1000)
      const events = await client().getAllStreamEvents(stream, 1000, 0, true, 'rich')
      expect(events).toHaveLength(1000)
      for (const event of events) expect(event).not.toHaveProperty('data')
    })
  })

  describe('getEvents and getEventsByType', () => {
    it('read both ways', async () => {
      const stream = await filled(10)
      const forward = await client().getEvents(stream, undefined, undefined, 'forward')
      const backward = await client().getEvents(stream, undefined, undefined, 'backward')
      expect(idsOf(forward)).toEqual(upTo(10))
      expect(idsOf(backward)).toEqual(upTo(10).reverse())
      for (const event of forward) expect(event.created).toMatch(/^\d{4}-/)
    })

    it('find events by their types', async () => {
      const stream = newStream()
      const types = ['a', 'b', 'a', 'c']
      await client().writeEvents(
        stream,
        types.map((type, id) => factory.newEvent(type, { id })),
      )
      expect(idsOf(await client().getEventsByType(stream, ['a', 'c']))).toEqual([0, 2, 3])
    })
  })

  describe('persistentSubscriptions', () => {
    const groups = () => client().persistentSubscriptions
    const fetch = async (stream: string, count: number) =>
      (await groups().getEvents('group', stream, count)) as Fetched
    const grouped = async (count: number): Promise<string> => {
      const stream = await filled(count)
      const made = await groups().assert('group', stream)
      expect(made).toMatchObject({ result: 'Success' })
      return stream
    }

    it('hand out all messages at once, and none when all are acknowledged', async () => {
      const stream = await grouped(10)
      const fetched = await fetch(stream, 10)
      expect(fetched.entries).toHaveLength(10)
      await fetched.ackAll()
      expect((await fetch(stream, 10)).entries).toEqual([])
    })

    it('hand out again what was given back', async () => {
      const stream = await grouped(12)
      const { entries } = await fetch(stream, 100)
      expect(entries.map(({ event }) => event.data.id)).toEqual(upTo(12).reverse())
      await Promise.all(
        entries.map((entry, index) => (index < 4 || index > 7 ? entry.nack() : entry.ack())),
      )
      const again = await fetch(stream, 10)
      const ids = again.entries.map(({ event }) => event.data.id)
      expect(ids).toEqual([11, 10, 9, 8, 3, 2, 1, 0])
    })

    it('are changed where they are there already', async () => {
      const stream = await grouped(1)
      await groups().assert('group', stream, { readBatchSize: 121, resolveLinkTos: true })
      expect(await groups().getSubscriptionInfo('group', stream)).toMatchObject({
        config: { readBatchSize: 121, resolveLinktos: true },
      })
    })

    it('are removed', async () => {
      const stream = await grouped(1)
      await groups().remove('group', stream)
      await expect(fetch(stream, 1)).rejects.toMatchObject({ response: { status: 404 } })
    })

    it('tell of themselves, of one stream, and of all', async () => {
      const stream = await grouped(1)
      const own = { groupName: 'group', eventStreamId: stream }
      expect(await groups().getSubscriptionInfo('group', stream)).toMatchObject(own)
      expect(await groups().getStreamSubscriptionsInfo(stream)).toMatchObject([own])
      await grouped(1)
      await grouped(1)
      expect(await groups().getAllSubscriptionsInfo()).toHaveLength(6)
    })
  })

  describe('readEventsForward and readEventsBackward', () => {
    const numbered = async (count: number): Promise<string> => {
      const stream = newStream()
      const numbers = upTo(count + 1, 1)
      await client().writeEvents(
        stream,
        numbers.map((id) => factory.newEvent(TYPE, { id })),
      )
      return stream
    }

    it('read pages from the places they are asked for', async () => {
      const stream = await numbered(10)
      const forward = async (start?: number, count?: number) =>
        idsOf((await client().readEventsForward(stream, start, count)).events)
      const backward = async (start?: number, count?: number) =>
        idsOf((await client().readEventsBackward(stream, start, count)).events)
      expect(await forward()).toEqual(upTo(11, 1))
      expect(await backward()).toEqual(upTo(11, 1).reverse())
      expect(await backward(0, 250)).toEqual([1])
      expect(await backward(2)).toEqual([3, 2, 1])
      expect(await backward(undefined, 10_000)).toHaveLength(10)
      expect(await forward(11)).toEqual([])
    })

    it('tell where the next page begins', async () => {
      const stream = await numbered(10)
      expect(await client().readEventsForward(stream, 2, 2)).toMatchObject({
        headOfStream: false,
        nextEventNumber: 4,
        fromEventNumber: 2,
        readDirection: 'forward',
      })
      expect(await client().readEventsBackward(stream, 3, 2)).toMatchObject({
        headOfStream: false,
        nextEventNumber: 1,
      })
    })

    it('read the largest page of five thousand events that one call wrote', async () => {
      const stream = await numbered(5000)
      const { events } = await client().readEventsForward(stream, 0, 5000)
      expect(idsOf(events)).toEqual(upTo(4097, 1))
    })

    it('read a category with its links followed', async () => {
      const { events } = await client().readEventsForward('$ce-TestStream', 0, 1)
      expect(events).toMatchObject([
        { data: { id: 0 }, positionEventNumber: 0, positionStreamId: '$ce-TestStream' },
      ])
    })

    it('read the streams there are, as links', async () => {
      const { events } = await client().readEventsForward('$streams', 0, 4096, false)
      expect(events.length).toBeGreaterThan(10)
      expect(events[0]).toMatchObject({ eventType: '$>', eventNumber: 0 })
    })

    it('read without bodies where they are not asked for', async () => {
      const stream = await numbered(10)
      const { events } = await client().readEventsBackward(stream, 2, 9, true, 'rich')
      expect(events).toHaveLength(3)
      for (const event of events) expect(event).not.toHaveProperty('data')
    })

    it('refuse a stream that is not there', async () => {
      const reading = client().readEventsForward(newStream())
      await expect(reading).rejects.toMatchObject({ response: { status: 404 } })
    })
  })

  describe('writeEvent and writeEvents', () => {
    it('write what is read, metadata with it', async () => {
      const stream = newStream()
      await client().writeEvent(stream, TYPE, { id: 7 }, { by: 'me' })
      const [event] = (await client().getEvents(stream)) as unknown as (Read & {
        metaData: string
      })[]
      expect(event).toMatchObject({ eventType: TYPE, data: { id: 7 } })
      expect(JSON.parse(event?.metaData ?? '')).toEqual({ by: 'me' })
    })

    it('go through at the expected version, and are refused at another', async () => {
      const stream = newStream()
      for (const [id, expectedVersion] of [-2, 0, 1].entries()) {
        await client().writeEvent(stream, TYPE, { id }, undefined, { expectedVersion })
      }
      const writing = client().writeEvents(stream, newEvents(1), { expectedVersion: 0 })
      await expect(writing).rejects.toMatchObject({
        response: { status: 400, headers: { 'es-currentversion': '2' } },
      })
      await client().writeEvents(stream, newEvents(1))
      expect(idsOf(await client().getEvents(stream))).toEqual([0, 1, 2, 0])
    })

    it('of nothing at all is nothing', async () => {
      const stream = newStream()
      expect(await client().writeEvents(stream, [])).toBeUndefined()
      expect(await client().checkStreamExists(stream)).toBe(false)
    })
  })

  describe('ping and admin', () => {
    it('answers a ping', async () => {
      expect(await client().ping()).toMatchObject({ text: expect.any(String) })
      await expect(server().lost.ping()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    })

    it('scavenges', async () => {
      expect(await client().admin.scavenge()).toMatchObject({
        scavengeId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      })
    })

    it('shuts down where there is something to shut down', async () => {
      await client().admin.shutdown()
      if (kind.canEnd) expect(await server().ended).toBe(0)
      else expect(await client().ping()).toBeDefined()
    })
  })
}
