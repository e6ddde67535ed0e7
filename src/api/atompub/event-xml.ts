/** One event in the forms that are XML. */
import { dataText, type EventView } from '../../domain/event-view.ts'
import type { JsonText } from '../../kit/json-text.ts'
import { eventContent } from './event-entry.ts'
import { AUTHOR, type EntryContent, type FeedEntry } from './feed.ts'
import { xmlOfJson } from './json-to-xml.ts'
import { TWO_TAGS, writeXml, type XmlElement, type XmlValue } from './xml-writer.ts'

/** An entry on its own: every element of Atom has its prefix, the event inside has none. */
export function entryXml(entry: FeedEntry): string {
  return writeXml({
    'atom:entry': {
      '@xmlns:atom': 'http://www.w3.org/2005/Atom',
      'atom:title': entry.title,
      'atom:id': entry.id,
      'atom:updated': entry.updated,
      'atom:author': { 'atom:name': AUTHOR },
      'atom:summary': entry.summary,
      'atom:link': entry.links.map(({ uri, relation }) => ({ '@href': uri, '@rel': relation })),
      ...(entry.content && {
        'atom:content': { '@type': 'application/xml', ...contentElement(entry.content) },
      }),
    },
  })
}

/** An event inside a feed whose elements have no prefix: those of the event have no namespace. */
export function feedContent(content: EntryContent): XmlElement {
  const members = Object.entries(contentElement(content)) as [string, XmlValue][]
  const plain = members.map(([name, value]) => {
    const inside = typeof value === 'string' ? { '#text': value } : value
    return [name, { '@xmlns': '', ...inside }]
  })
  return { '@type': 'application/xml', ...Object.fromEntries(plain) }
}

function contentElement(content: EntryContent): XmlElement {
  return {
    eventStreamId: content.eventStreamId,
    eventNumber: String(content.eventNumber),
    eventType: content.eventType,
    data: inner(content.data),
    metadata: inner(content.metadata),
  }
}

const inner = (text: JsonText): XmlValue => (text === '""' ? TWO_TAGS : xmlOfJson(text))

/** What an event says, alone; bytes that are no JSON as text. */
export function dataXml({ data }: EventView): string {
  return writeXml({ data: data.kind === 'json' ? xmlOfJson(data.text) : dataText(data) })
}

export function eventXml(event: EventView): string {
  const { data, metadata, ...rest } = contentElement(eventContent(event))
  return writeXml({ event: { ...rest, eventId: event.eventId, data, metadata } as XmlElement })
}
