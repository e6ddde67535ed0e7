/** A feed as a page for people. */
import type { Feed, FeedEntry, FeedLink } from './feed.ts'
import { escapeHtml, htmlLink, htmlPage } from './html.ts'

/** How the links of a feed are called for people; `next` leads to older events. */
const NAMES: Readonly<Record<string, string>> = {
  first: 'newest',
  previous: 'newer',
  next: 'older',
  last: 'oldest',
  metadata: 'metadata',
  self: 'stream',
}

export function feedHtml(feed: Feed): string {
  const rows = feed.entries.map(rowOf).join('\n')
  const table =
    feed.entries.length === 0
      ? '<p>There are no events on this page.</p>'
      : `<table>\n<thead><tr><th scope="col">Event</th><th scope="col">Type</th><th scope="col">Time</th>` +
        `<th scope="col">Data</th></tr></thead>\n<tbody>\n${rows}\n</tbody>\n</table>`
  return htmlPage(feed.title, `<nav>${feed.links.map(navigation).join(' ')}</nav>\n${table}`)
}

function navigation({ uri, relation }: FeedLink): string {
  return htmlLink(uri, NAMES[relation] ?? relation)
}

function rowOf({ id, title, updated, summary, rich }: FeedEntry): string {
  const cells = [
    htmlLink(id, title),
    escapeHtml(rich?.eventType ?? summary),
    `<time>${escapeHtml(updated)}</time>`,
    `<pre>${escapeHtml(rich?.data ?? '')}</pre>`,
  ]
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
}
