/** A feed in the form that was negotiated; forms other than JSON are loaded when they are asked for. */
import type { Feed } from './feed.ts'
import { feedJson } from './feed-json.ts'
import type { Codec } from './media-types.ts'

export async function feedBody(feed: Feed, { form }: Codec): Promise<string> {
  switch (form) {
    case 'atom-json':
      return feedJson(feed)
    case 'html':
      return (await import('./feed-html.ts')).feedHtml(feed)
    default:
      return (await import('./feed-xml.ts')).feedXml(feed)
  }
}
