/** Feeds and entries as Atom XML (RFC 4287), compact, in the order of the JSON form. */
import { feedContent } from './event-xml.ts'
import type { Feed, FeedEntry, FeedLink } from './feed.ts'
import { AUTHOR } from './feed.ts'
import { writeXml, type XmlElement } from './xml-writer.ts'

const ATOM = 'http://www.w3.org/2005/Atom'

export function feedXml(feed: Feed): string {
  return writeXml({
    feed: {
      '@xmlns': ATOM,
      title: feed.title,
      id: feed.id,
      updated: feed.updated,
      author: { name: AUTHOR },
      link: feed.links.map(linkElement),
      entry: feed.entries.map(entryElement),
    },
  })
}

function entryElement(entry: FeedEntry): XmlElement {
  return {
    title: entry.title,
    id: entry.id,
    updated: entry.updated,
    author: { name: AUTHOR },
    summary: entry.summary,
    link: entry.links.map(linkElement),
    ...(entry.content && { content: feedContent(entry.content) }),
  }
}

function linkElement({ uri, relation }: FeedLink): XmlElement {
  return { '@href': uri, '@rel': relation }
}
