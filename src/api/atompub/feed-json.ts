/** Feeds and entries as JSON: two spaces a level, members in a fixed order, texts of events as they are. */
import { indentedJson } from '../../kit/json-indent.ts'
import type { JsonText } from '../../kit/json-text.ts'
import { AUTHOR, type EntryContent, type Feed, type FeedEntry, type FeedLink } from './feed.ts'

/** A member and the text of its value, which is indented already. */
type Member = readonly [string, string]

export function feedJson(feed: Feed): string {
  return object(0, [
    ...text('title', feed.title),
    ...text('id', feed.id),
    ...text('updated', feed.updated),
    ...text('streamId', feed.streamId),
    author(1),
    ['headOfStream', String(feed.headOfStream)],
    ...text('selfUrl', feed.selfUrl),
    ...text('eTag', feed.eTag),
    links(1, feed.links),
    [
      'entries',
      list(
        1,
        feed.entries.map((entry) => entryText(2, entry)),
      ),
    ],
  ])
}

export function entryJson(entry: FeedEntry): string {
  return entryText(0, entry)
}

function entryText(level: number, entry: FeedEntry): string {
  const { rich, content, retryCount } = entry
  return object(level, [
    ...(rich === undefined ? [] : members(rich)),
    ...(retryCount === undefined ? [] : members({ retryCount })),
    ...text('title', entry.title),
    ...text('id', entry.id),
    ...text('updated', entry.updated),
    author(level + 1),
    ...text('summary', entry.summary),
    ...(content === undefined ? [] : [contentMember(level + 1, content)]),
    links(level + 1, entry.links),
  ])
}

/** An event on its own: what `content` holds. */
export function contentJson(
  content: EntryContent,
  more: Readonly<Record<string, string>> = {},
): string {
  return object(0, contentMembers(0, content, more))
}

function contentMember(level: number, content: EntryContent): Member {
  return ['content', object(level, contentMembers(level, content))]
}

function contentMembers(
  level: number,
  { data, metadata, ...plain }: EntryContent,
  more: Readonly<Record<string, string>> = {},
): readonly Member[] {
  return [
    ...members(plain),
    ...members(more),
    ['data', json(level + 1, data)],
    ['metadata', json(level + 1, metadata)],
  ]
}

const json = (level: number, value: JsonText): string => indentedJson(value, level)

function text(name: string, value: string | undefined): Member[] {
  return value === undefined ? [] : [[name, JSON.stringify(value)]]
}

function members(values: Readonly<Record<string, string | number | boolean>>): Member[] {
  return Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)])
}

function author(level: number): Member {
  return ['author', object(level, [['name', `"${AUTHOR}"`]])]
}

function links(level: number, all: readonly FeedLink[]): Member {
  const one = ({ uri, relation }: FeedLink) =>
    object(level + 1, [
      ['uri', JSON.stringify(uri)],
      ['relation', JSON.stringify(relation)],
    ])
  return ['links', list(level, all.map(one))]
}

function object(level: number, all: readonly Member[]): string {
  const outer = '  '.repeat(level)
  const inner = all.map(([name, value]) => `${outer}  "${name}": ${value}`)
  return `{\n${inner.join(',\n')}\n${outer}}`
}

function list(level: number, values: readonly string[]): string {
  if (values.length === 0) return '[]'
  const outer = '  '.repeat(level)
  return `[\n${values.map((value) => `${outer}  ${value}`).join(',\n')}\n${outer}]`
}
