/** One event as a page for people. */
import type { StreamItem } from '../../domain/stream-reader.ts'
import { richMembers } from './embed.ts'
import type { FeedEntry } from './feed.ts'
import { escapeHtml, htmlLink, htmlPage } from './html.ts'

export function eventHtml(entry: FeedEntry, item: StreamItem): string {
  const rich = richMembers(item, 'tryharder')
  const stream = entry.id.slice(0, entry.id.lastIndexOf('/'))
  const rows: readonly (readonly [string, string])[] = [
    ['Stream', htmlLink(stream, rich?.streamId ?? '')],
    ['Number', escapeHtml(String(rich?.eventNumber ?? ''))],
    ['Type', escapeHtml(rich?.eventType ?? '')],
    ['Id', escapeHtml(rich?.eventId ?? '')],
    ['Time', `<time>${escapeHtml(entry.updated)}</time>`],
    ['Data', `<pre>${escapeHtml(rich?.data ?? '')}</pre>`],
    ['Metadata', `<pre>${escapeHtml(rich?.metaData ?? '')}</pre>`],
  ]
  const body = rows.map(([name, cell]) => `<tr><th scope="row">${name}</th><td>${cell}</td></tr>`)
  return htmlPage(entry.title, `<table>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table>`)
}
