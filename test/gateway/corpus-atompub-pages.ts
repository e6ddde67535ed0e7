/** Cases about the pages of streams at both of their ends, and where the oldest events are hidden. */
import { expect } from 'vitest'
import {
  ATOM_JSON,
  expectEmpty,
  expectStatus,
  type FeedJson,
  feed,
  fill,
  local,
  pagesOf,
  postMetadata,
  read,
  titles,
} from './atompub-request.ts'
import { type CorpusCase, json, type Send, signedInCase } from './corpus-request.ts'

const ONE_YEAR = 'max-age=31536000, private'
const NO_CACHE = 'max-age=0, no-cache, must-revalidate'

/**
 * A page: its path, the numbers on it, where `next` and `previous` lead (`last` comes with `next`), whether
 * it is the head of the stream, and how long it may be kept.
 */
type Page = readonly [
  path: string,
  numbers: readonly number[],
  next: string | undefined,
  previous: string | undefined,
  isHead: boolean,
  caching: string,
]

/** Of three events: 0, 1, 2. */
const SHORT: readonly Page[] = [
  ['/head/backward/1', [2], '/1/backward/1', '/3/forward/1', true, NO_CACHE],
  ['/head/1', [2], '/1/backward/1', '/3/forward/1', true, NO_CACHE],
  ['/head/backward/2', [2, 1], '/0/backward/2', '/3/forward/2', true, NO_CACHE],
  ['/head/backward/3', [2, 1, 0], undefined, '/3/forward/3', true, NO_CACHE],
  ['/head/4096', [2, 1, 0], undefined, '/3/forward/4096', true, NO_CACHE],
  ['/2/backward/1', [2], '/1/backward/1', '/3/forward/1', false, ONE_YEAR],
  ['/2/1', [2], '/1/backward/1', '/3/forward/1', false, ONE_YEAR],
  ['/2/backward/2', [2, 1], '/0/backward/2', '/3/forward/2', false, ONE_YEAR],
  ['/2/backward/3', [2, 1, 0], undefined, '/3/forward/3', false, ONE_YEAR],
  ['/1/backward/1', [1], '/0/backward/1', '/2/forward/1', false, ONE_YEAR],
  ['/0/backward/1', [0], undefined, '/1/forward/1', false, ONE_YEAR],
  ['/0/backward/5', [0], undefined, '/1/forward/5', false, ONE_YEAR],
  ['/3/backward/2', [2], '/1/backward/2', '/3/forward/2', false, NO_CACHE],
  ['/4/backward/1', [], '/3/backward/1', '/3/forward/1', false, NO_CACHE],
  ['/0/forward/1', [0], undefined, '/1/forward/1', false, ONE_YEAR],
  ['/0/forward/3', [2, 1, 0], undefined, '/3/forward/3', true, ONE_YEAR],
  ['/0/forward/4', [2, 1, 0], undefined, '/3/forward/4', true, NO_CACHE],
  ['/1/forward/1', [1], '/0/backward/1', '/2/forward/1', false, ONE_YEAR],
  ['/1/forward/2', [2, 1], '/0/backward/2', '/3/forward/2', true, ONE_YEAR],
  ['/2/forward/1', [2], '/1/backward/1', '/3/forward/1', true, ONE_YEAR],
  ['/2/forward/2', [2], '/1/backward/2', '/3/forward/2', true, NO_CACHE],
  ['/3/forward/1', [], '/2/backward/1', undefined, true, NO_CACHE],
  ['/7/forward/2', [], '/6/backward/2', undefined, true, NO_CACHE],
]

/** Of ten events, of which 6 to 9 can be seen. */
const TRUNCATED: readonly Page[] = [
  ['/head/backward/3', [9, 8, 7], '/6/backward/3', '/10/forward/3', true, NO_CACHE],
  ['/head/backward/4', [9, 8, 7, 6], '/5/backward/4', '/10/forward/4', true, NO_CACHE],
  ['/head/backward/5', [9, 8, 7, 6], undefined, '/10/forward/5', true, NO_CACHE],
  ['/9/backward/4', [9, 8, 7, 6], '/5/backward/4', '/10/forward/4', false, ONE_YEAR],
  ['/8/backward/3', [8, 7, 6], '/5/backward/3', '/9/forward/3', false, ONE_YEAR],
  ['/7/backward/3', [7, 6], undefined, '/8/forward/3', false, ONE_YEAR],
  ['/6/backward/1', [6], '/5/backward/1', '/7/forward/1', false, ONE_YEAR],
  ['/5/backward/3', [], undefined, '/6/forward/3', false, ONE_YEAR],
  ['/0/backward/1', [], undefined, '/1/forward/1', false, ONE_YEAR],
  ['/11/backward/3', [9], '/8/backward/3', '/10/forward/3', false, NO_CACHE],
  ['/12/backward/3', [], '/9/backward/3', '/10/forward/3', false, NO_CACHE],
  ['/0/forward/3', [], undefined, '/3/forward/3', false, ONE_YEAR],
  ['/0/forward/6', [], undefined, '/6/forward/6', false, ONE_YEAR],
  ['/3/forward/3', [], '/2/backward/3', '/6/forward/3', false, ONE_YEAR],
  ['/4/forward/3', [6], '/3/backward/3', '/7/forward/3', false, ONE_YEAR],
  ['/6/forward/3', [8, 7, 6], '/5/backward/3', '/9/forward/3', false, ONE_YEAR],
  ['/0/forward/10', [9, 8, 7, 6], undefined, '/10/forward/10', true, ONE_YEAR],
  ['/0/forward/11', [9, 8, 7, 6], undefined, '/10/forward/11', true, NO_CACHE],
  ['/9/forward/3', [9], '/8/backward/3', '/10/forward/3', true, NO_CACHE],
  ['/10/forward/3', [], '/9/backward/3', undefined, true, NO_CACHE],
  ['/12/forward/3', [], '/11/backward/3', undefined, true, NO_CACHE],
]

async function expectPage(send: Send, page: Page, tag: string): Promise<void> {
  const [path, numbers, next, previous, isHead, caching] = page
  const answer = await read(send, `/streams/s${path}`)
  expectStatus(answer, 200)
  const shown = json(answer) as FeedJson
  expect([path, shown.entries.map(({ title }) => title)]).toEqual([
    path,
    numbers.map((number) => `${number}@s`),
  ])
  const count = /\d+$/.exec(path)?.[0]
  expect([path, pagesOf(shown)]).toEqual([
    path,
    {
      self: '',
      first: `/head/backward/${count}`,
      ...(next !== undefined && { last: `/0/forward/${count}`, next }),
      ...(previous !== undefined && { previous }),
      metadata: '/metadata',
    },
  ])
  expect([path, shown.headOfStream]).toEqual([path, isHead])
  const { headers } = answer
  expect([path, headers['cache-control'], headers['etag']]).toEqual([
    path,
    caching,
    caching === NO_CACHE ? tag : undefined,
  ])
}

/** Pages from an address on, by the relation that leads from one to the next. */
async function follow(send: Send, from: string, relation: string): Promise<[string, string[]][]> {
  const pages: [string, string[]][] = []
  let path: string | undefined = from
  while (path !== undefined) {
    const page = await feed(send, path)
    pages.push([path, page.entries.map(({ title }) => title)])
    const link = page.links.find((one) => one.relation === relation)
    path = link && local(link.uri)
  }
  return pages
}

export const ATOMPUB_PAGE_CASES: readonly CorpusCase[] = [
  signedInCase('atompub: pages of a short stream, at both of its ends', async (send) => {
    await fill(send, 's', 3)
    for (const page of SHORT) await expectPage(send, page, '"2;-43840953"')
  }),
  ...[
    { $tb: 2, $maxCount: 4 },
    { $tb: 6, $maxCount: 9 },
  ].map((document) =>
    signedInCase(
      `atompub: pages of a stream that begins at 6 by ${JSON.stringify(document)}`,
      async (send) => {
        await fill(send, 's', 10)
        expectStatus(await postMetadata(send, 's', document), 201)
        for (const page of TRUNCATED) await expectPage(send, page, '"9;-43840953"')
      },
    ),
  ),
  signedInCase('atompub: readers come from the head to the end, and back', async (send) => {
    await fill(send, 's', 8)
    expect(await follow(send, '/streams/s/head/backward/3', 'next')).toEqual([
      ['/streams/s/head/backward/3', ['7@s', '6@s', '5@s']],
      ['/streams/s/4/backward/3', ['4@s', '3@s', '2@s']],
      ['/streams/s/1/backward/3', ['1@s', '0@s']],
    ])
    expect(await follow(send, '/streams/s/1/backward/3', 'previous')).toEqual([
      ['/streams/s/1/backward/3', ['1@s', '0@s']],
      ['/streams/s/2/forward/3', ['4@s', '3@s', '2@s']],
      ['/streams/s/5/forward/3', ['7@s', '6@s', '5@s']],
      ['/streams/s/8/forward/3', []],
    ])
    const end = await read(send, '/streams/s/8/forward/3', { 'if-none-match': '"7;-43840953"' })
    expectEmpty(end, 304, 'Not Modified')
    expect(end.headers['vary']).toContain('Accept')
  }),
  signedInCase('atompub: readers pass what was truncated, in both directions', async (send) => {
    await fill(send, 's', 10)
    expectStatus(await postMetadata(send, 's', { $tb: 6 }), 201)
    expect(await follow(send, '/streams/s/0/forward/4', 'previous')).toEqual([
      ['/streams/s/0/forward/4', []],
      ['/streams/s/4/forward/4', ['7@s', '6@s']],
      ['/streams/s/8/forward/4', ['9@s', '8@s']],
      ['/streams/s/10/forward/4', []],
    ])
    expect(await follow(send, '/streams/s/head/backward/2', 'next')).toEqual([
      ['/streams/s/head/backward/2', ['9@s', '8@s']],
      ['/streams/s/7/backward/2', ['7@s', '6@s']],
      ['/streams/s/5/backward/2', []],
    ])
  }),
  signedInCase('atompub: every page takes embed and format', async (send) => {
    await fill(send, 's', 2)
    expectStatus(await postMetadata(send, 's', { a: 1 }), 201)
    for (const path of [
      ...['', '/1/5', '/head/5', '/1/backward/5', '/head/backward/5', '/1/forward/5'],
      ...['/metadata/0/5', '/metadata/head/5', '/metadata/0/backward/5', '/metadata/0/forward/5'],
    ]) {
      const answer = await read(send, `/streams/s${path}?embed=rich&format=atomxj`, {
        accept: 'text/plain',
      })
      expect([path, answer.status, answer.headers['content-type']]).toEqual([
        path,
        200,
        `${ATOM_JSON}; charset=utf-8`,
      ])
      const { entries } = JSON.parse(answer.body.toString()) as { entries: object[] }
      const isMetadata = path.startsWith('/metadata')
      expect([path, entries[0]]).toMatchObject([path, { eventNumber: isMetadata ? 0 : 1 }])
    }
  }),
  signedInCase('atompub: metadata has pages of its own, under its own name', async (send) => {
    await fill(send, 's', 1)
    for (const n of [0, 1, 2]) expectStatus(await postMetadata(send, 's', { n }), 201)
    const page = await feed(send, '/streams/s/metadata/2/backward/2')
    expect(page).toMatchObject({ title: "Event stream '$$s'", streamId: '$$s' })
    expect(local(page.id)).toBe('/streams/%24%24s')
    expect(pagesOf(page)).toEqual({
      self: '',
      first: '/head/backward/2',
      previous: '/3/forward/2',
      metadata: '/metadata',
    })
    for (const path of ['/2/5', '/head/5', '/head/backward/5', '/0/forward/5']) {
      expect([path, await titles(send, `/streams/s/metadata${path}`)]).toEqual([path, ['2@$$s']])
    }
    expect(await titles(send, '/streams/s/metadata/0/forward/2')).toEqual([])
    const newest = await read(send, '/streams/s/metadata/head')
    expect([newest.status, newest.body.toString()]).toEqual([200, '{\n  "n": 2\n}'])
    expectStatus(await read(send, '/streams/s/metadata/1'), 404)
    expectStatus(await read(send, '/streams/none/metadata/0/forward/5'), 404)
  }),
]
