/** Atom XML as others read it: against the grammar of RFC 4287 (xmllint), and by a feed parser (feedparser). */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  ATOM,
  expectStatus,
  id,
  postBatch,
  postMetadata,
  read,
} from '../gateway/atompub-request.ts'
import { type Send, signedIn } from '../gateway/corpus-request.ts'
import { hasXmlTools, PYTHON } from '../support/install-xml-tools.ts'
import { openTestApp } from '../support/test-app.ts'

const GRAMMAR = fileURLToPath(new URL('../support/atom.rng', import.meta.url))

const PARSE = `
import sys, json, feedparser
feed = feedparser.parse(sys.stdin.buffer.read())
print(json.dumps({
  'bozo': bool(feed.bozo), 'version': feed.version, 'title': feed.feed.get('title'), 'id': feed.feed.get('id'),
  'author': feed.feed.get('author'),
  'links': [[link.rel, link.href] for link in feed.feed.get('links', [])],
  'entries': [[entry.title, entry.id, entry.summary, entry.updated, [link.rel for link in entry.links]] for entry in feed.entries],
}))
`

/** Addresses of everything that is Atom XML: pages, the log, links, single events. */
const ADDRESSES = [
  '/streams/s-1',
  '/streams/s-1?embed=content',
  '/streams/s-1/0/forward/2',
  '/streams/s-1/9/forward/2',
  '/streams/s-1/0',
  '/streams/s-1/1',
  '/streams/s-1/2',
  '/streams/s-1/metadata',
  '/streams/$all',
  '/streams/$ce-s',
  '/streams/$ce-s/0',
]

describe.runIf(hasXmlTools())('Atom XML, with xmllint and feedparser', () => {
  let send: Send
  beforeAll(async () => {
    send = signedIn((await openTestApp()).send)
    const events = [
      {
        eventId: id(1),
        eventType: 'sold',
        data: { 'a b': [1, { x: '<&>' }], '@n': 1 },
        metadata: { m: 2 },
      },
      { eventId: id(2), eventType: 'a<b&"c\'', data: 'no JSON' },
      { eventId: id(3), eventType: 'sold' },
    ]
    expectStatus(await postBatch(send, 's-1', events), 201)
    expectStatus(await postMetadata(send, 's-1', { $maxCount: 10 }), 201)
  })

  const xmlOf = async (address: string): Promise<Buffer> => {
    const answer = await read(send, address, { accept: ATOM })
    expectStatus(answer, 200)
    return answer.body
  }
  const lint = (input: Buffer) =>
    execFileSync('xmllint', ['--noout', '--relaxng', GRAMMAR, '-'], { input, stdio: 'pipe' })

  it.each(ADDRESSES)('%s fits the grammar', async (address) => {
    lint(await xmlOf(address))
  })

  it('what does not fit is found', async () => {
    const broken = (await xmlOf('/streams/s-1')).toString().replace(/<updated>[^<]*<\/updated>/, '')
    expect(() => lint(Buffer.from(broken))).toThrow()
  })

  it('a parser of feeds reads a page as it was meant', async () => {
    const page = JSON.parse((await read(send, '/streams/s-1')).body.toString()) as {
      id: string
      links: { uri: string; relation: string }[]
      entries: { title: string; id: string; summary: string; updated: string }[]
    }
    const out = execFileSync(PYTHON, ['-c', PARSE], { input: await xmlOf('/streams/s-1') })
    expect(JSON.parse(out.toString())).toEqual({
      bozo: false,
      version: 'atom10',
      title: "Event stream 's-1'",
      id: page.id,
      author: 'EventStore',
      links: page.links.map(({ uri, relation }) => [relation, uri]),
      entries: page.entries.map(({ title, id: entryId, summary, updated }) => [
        ...[title, entryId, summary, updated],
        ['edit', 'alternate'],
      ]),
    })
  })
})
