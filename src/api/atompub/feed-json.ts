/**
 * Feeds and entries as JSON: two spaces a level, members in a fixed order, texts of events as they are. Written
 * as templates, because a process that has just started runs few lines much faster than many.
 */
import { indentedJson } from '../../kit/json-indent.ts'
import {
  AUTHOR,
  type EntryContent,
  type Feed,
  type FeedEntry,
  type FeedLink,
  type RichMembers,
} from './feed.ts'

const text = (value: string): string => JSON.stringify(value)

export function feedJson(feed: Feed): string {
  const { streamId, selfUrl, eTag } = feed
  return `{
  "title": ${text(feed.title)},
  "id": ${text(feed.id)},
  "updated": ${text(feed.updated)},${streamId === undefined ? '' : `\n  "streamId": ${text(streamId)},`}
  "author": {
    "name": "${AUTHOR}"
  },
  "headOfStream": ${feed.headOfStream},${selfUrl === undefined ? '' : `\n  "selfUrl": ${text(selfUrl)},`}${eTag === undefined ? '' : `\n  "eTag": ${text(eTag)},`}
  "links": ${linkList(feed.links, '  ')},
  "entries": ${entryList(feed.entries)}
}`
}

function entryList(entries: readonly FeedEntry[]): string {
  if (entries.length === 0) return '[]'
  return `[\n    ${entries.map((entry) => entryText(entry, 2)).join(',\n    ')}\n  ]`
}

/** An entry on its own. */
export function entryJson(entry: FeedEntry): string {
  return entryText(entry, 0)
}

const INDENTS: readonly string[] = ['', '  ', '    ', '      ', '        ']

const authorAt = (inner: string): string =>
  `${inner}"author": {\n${inner}  "name": "${AUTHOR}"\n${inner}},`
const AUTHOR_AT_0 = authorAt('  ')
const AUTHOR_AT_2 = authorAt('      ')

function entryText(entry: FeedEntry, level: number): string {
  const { rich, content, retryCount } = entry
  const outer = INDENTS[level] ?? ''
  const inner = INDENTS[level + 1] ?? ''
  const author = level === 0 ? AUTHOR_AT_0 : AUTHOR_AT_2
  return `{${rich === undefined ? '' : richText(rich, inner)}${retryCount === undefined ? '' : `\n${inner}"retryCount": ${retryCount},`}
${inner}"title": ${text(entry.title)},
${inner}"id": ${text(entry.id)},
${inner}"updated": ${text(entry.updated)},
${author}
${inner}"summary": ${text(entry.summary)},${content === undefined ? '' : `\n${inner}"content": ${contentText(content, level + 1)},`}
${inner}"links": ${linkList(entry.links, inner)}
${outer}}`
}

function richText(rich: RichMembers, inner: string): string {
  const optional = (name: 'data' | 'metaData' | 'linkMetaData'): string => {
    const value = rich[name]
    return value === undefined ? '' : `\n${inner}"${name}": ${text(value)},`
  }
  return `
${inner}"eventId": "${rich.eventId}",
${inner}"eventType": ${text(rich.eventType)},
${inner}"eventNumber": ${rich.eventNumber},${optional('data')}${optional('metaData')}${optional('linkMetaData')}
${inner}"streamId": ${text(rich.streamId)},
${inner}"isJson": ${rich.isJson},
${inner}"isMetaData": ${rich.isMetaData},
${inner}"isLinkMetaData": ${rich.isLinkMetaData},
${inner}"positionEventNumber": ${rich.positionEventNumber},
${inner}"positionStreamId": ${text(rich.positionStreamId)},`
}

/** An event on its own. */
export function contentJson(content: EntryContent, eventId: string): string {
  return contentText(content, 0, `\n  "eventId": "${eventId}",`)
}

function contentText(content: EntryContent, level: number, more = ''): string {
  const outer = '  '.repeat(level)
  return `{
${outer}  "eventStreamId": ${text(content.eventStreamId)},
${outer}  "eventNumber": ${content.eventNumber},
${outer}  "eventType": ${text(content.eventType)},${more}
${outer}  "data": ${indentedJson(content.data, level + 1)},
${outer}  "metadata": ${indentedJson(content.metadata, level + 1)}
${outer}}`
}

function linkList(links: readonly FeedLink[], outer: string): string {
  if (links.length === 0) return '[]'
  const all = links.map(
    ({ uri, relation }) => `${outer}  {
${outer}    "uri": ${text(uri)},
${outer}    "relation": ${text(relation)}
${outer}  }`,
  )
  return `[\n${all.join(',\n')}\n${outer}]`
}
