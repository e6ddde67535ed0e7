import { expect, it } from 'vitest'
import { textHash } from '../../../src/api/atompub/etag.ts'
import { feedTime, streamUrl } from '../../../src/api/atompub/feed.ts'

it.each([
  ['application/vnd.eventstore.atom+json', 248368668],
  ['application/atom+xml', -1296467268],
  ['application/json', -43840953],
  ['text/xml', -1004727243],
  ['application/xml', -1248326952],
  ['', 0],
])('the tag of a page in %s ends in %i', (mediaType, hash) => {
  expect(textHash(mediaType)).toBe(hash)
})

it.each([
  ['2015-01-29T10:13:38.560Z', '2015-01-29T10:13:38.56Z'],
  ['2015-01-29T10:13:30.000Z', '2015-01-29T10:13:30Z'],
  ['2015-01-29T10:10:00Z', '2015-01-29T10:10:00Z'],
  ['2015-01-29T10:13:38.001Z', '2015-01-29T10:13:38.001Z'],
])('%s is written as %s', (iso, written) => {
  expect(feedTime(iso)).toBe(written)
})

it('nothing that means something in a URL is left in the name of a stream', () => {
  expect(streamUrl('http://a', "$all@b c/?#%&'()*!~")).toBe(
    'http://a/streams/%24all%40b%20c%2F%3F%23%25%26%27%28%29%2A%21~',
  )
})
