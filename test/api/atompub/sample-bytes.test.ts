/**
 * The four bodies that are known to the byte from samples of version 3: a feed and an entry, in JSON and in
 * XML. Their lengths are those of the samples.
 */
import { expect, test } from 'vitest'
import { entryXml } from '../../../src/api/atompub/event-xml.ts'
import type { Feed, FeedEntry } from '../../../src/api/atompub/feed.ts'
import { entryJson, feedJson } from '../../../src/api/atompub/feed-json.ts'
import { feedXml } from '../../../src/api/atompub/feed-xml.ts'
import type { JsonText } from '../../../src/kit/json-text.ts'

const BASE = 'http://127.0.0.1:2113/streams'
const entryOf = (stream: string, updated: string): FeedEntry => ({
  title: `0@${stream}`,
  id: `${BASE}/${stream}/0`,
  updated,
  summary: 'event-type',
  links: [
    { uri: `${BASE}/${stream}/0`, relation: 'edit' },
    { uri: `${BASE}/${stream}/0`, relation: 'alternate' },
  ],
})
const feedOf = (stream: string, updated: string): Feed => ({
  title: `Event stream '${stream}'`,
  id: `${BASE}/${stream}`,
  updated,
  streamId: stream,
  headOfStream: true,
  selfUrl: `${BASE}/${stream}`,
  eTag: '0;248368668',
  links: [
    { uri: `${BASE}/${stream}`, relation: 'self' },
    { uri: `${BASE}/${stream}/head/backward/20`, relation: 'first' },
    { uri: `${BASE}/${stream}/1/forward/20`, relation: 'previous' },
    { uri: `${BASE}/${stream}/metadata`, relation: 'metadata' },
  ],
  entries: [entryOf(stream, updated)],
})
const content = (stream: string, data: string) => ({
  eventStreamId: stream,
  eventNumber: 0,
  eventType: 'event-type',
  data: data as JsonText,
  metadata: '""' as JsonText,
})

const SIX = '2015-01-29T10:13:38.564802Z'
const FIVE = '2015-01-29T10:13:38.56480Z'

test('the feed in JSON has 1260 bytes', () => {
  const text = feedJson(feedOf('newstream', SIX))
  expect(Buffer.byteLength(text)).toBe(1260)
  expect(text).toBe(`{
  "title": "Event stream 'newstream'",
  "id": "http://127.0.0.1:2113/streams/newstream",
  "updated": "2015-01-29T10:13:38.564802Z",
  "streamId": "newstream",
  "author": {
    "name": "EventStore"
  },
  "headOfStream": true,
  "selfUrl": "http://127.0.0.1:2113/streams/newstream",
  "eTag": "0;248368668",
  "links": [
    {
      "uri": "http://127.0.0.1:2113/streams/newstream",
      "relation": "self"
    },
    {
      "uri": "http://127.0.0.1:2113/streams/newstream/head/backward/20",
      "relation": "first"
    },
    {
      "uri": "http://127.0.0.1:2113/streams/newstream/1/forward/20",
      "relation": "previous"
    },
    {
      "uri": "http://127.0.0.1:2113/streams/newstream/metadata",
      "relation": "metadata"
    }
  ],
  "entries": [
    {
      "title": "0@newstream",
      "id": "http://127.0.0.1:2113/streams/newstream/0",
      "updated": "2015-01-29T10:13:38.564802Z",
      "author": {
        "name": "EventStore"
      },
      "summary": "event-type",
      "links": [
        {
          "uri": "http://127.0.0.1:2113/streams/newstream/0",
          "relation": "edit"
        },
        {
          "uri": "http://127.0.0.1:2113/streams/newstream/0",
          "relation": "alternate"
        }
      ]
    }
  ]
}`)
})

test('the entry in JSON has 572 bytes', () => {
  const text = entryJson({
    ...entryOf('newstream', SIX),
    content: content('newstream', '{"a":"1"}'),
  })
  expect(Buffer.byteLength(text)).toBe(572)
  expect(text).toBe(`{
  "title": "0@newstream",
  "id": "http://127.0.0.1:2113/streams/newstream/0",
  "updated": "2015-01-29T10:13:38.564802Z",
  "author": {
    "name": "EventStore"
  },
  "summary": "event-type",
  "content": {
    "eventStreamId": "newstream",
    "eventNumber": 0,
    "eventType": "event-type",
    "data": {
      "a": "1"
    },
    "metadata": ""
  },
  "links": [
    {
      "uri": "http://127.0.0.1:2113/streams/newstream/0",
      "relation": "edit"
    },
    {
      "uri": "http://127.0.0.1:2113/streams/newstream/0",
      "relation": "alternate"
    }
  ]
}`)
})

test('the feed in XML has 927 bytes', () => {
  const text = feedXml(feedOf('newstream2', FIVE))
  expect(Buffer.byteLength(text)).toBe(927)
  expect(text).toBe(
    `<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Event stream 'newstream2'</title><id>http://127.0.0.1:2113/streams/newstream2</id><updated>2015-01-29T10:13:38.56480Z</updated><author><name>EventStore</name></author><link href="http://127.0.0.1:2113/streams/newstream2" rel="self" /><link href="http://127.0.0.1:2113/streams/newstream2/head/backward/20" rel="first" /><link href="http://127.0.0.1:2113/streams/newstream2/1/forward/20" rel="previous" /><link href="http://127.0.0.1:2113/streams/newstream2/metadata" rel="metadata" /><entry><title>0@newstream2</title><id>http://127.0.0.1:2113/streams/newstream2/0</id><updated>2015-01-29T10:13:38.56480Z</updated><author><name>EventStore</name></author><summary>event-type</summary><link href="http://127.0.0.1:2113/streams/newstream2/0" rel="edit" /><link href="http://127.0.0.1:2113/streams/newstream2/0" rel="alternate" /></entry></feed>`,
  )
})

test('the entry in XML has 740 bytes', () => {
  const data = '{"MyEvent":{"Something":"1"}}'
  const text = entryXml({ ...entryOf('newstream2', FIVE), content: content('newstream2', data) })
  expect(Buffer.byteLength(text)).toBe(740)
  expect(text).toBe(
    '<?xml version="1.0" encoding="utf-8"?><atom:entry xmlns:atom="http://www.w3.org/2005/Atom"><atom:title>0@newstream2</atom:title><atom:id>http://127.0.0.1:2113/streams/newstream2/0</atom:id><atom:updated>2015-01-29T10:13:38.56480Z</atom:updated><atom:author><atom:name>EventStore</atom:name></atom:author><atom:summary>event-type</atom:summary><atom:link href="http://127.0.0.1:2113/streams/newstream2/0" rel="edit" /><atom:link href="http://127.0.0.1:2113/streams/newstream2/0" rel="alternate" /><atom:content type="application/xml"><eventStreamId>newstream2</eventStreamId><eventNumber>0</eventNumber><eventType>event-type</eventType><data><MyEvent><Something>1</Something></MyEvent></data><metadata></metadata></atom:content></atom:entry>',
  )
})
