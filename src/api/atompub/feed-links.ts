/** Which links a page of a stream has, and whether it is the stream's head. */
import type { FeedLink } from './feed.ts'

/** What a request asks for. Numbers are inclusive; `head`: from the last event on backwards. */
export type PageRequest =
  | { readonly direction: 'backward'; readonly from: number | 'head'; readonly count: number }
  | { readonly direction: 'forward'; readonly from: number; readonly count: number }

/** What is known of the stream when its page is made. */
export type PagePlace = {
  /** Number of the last event of the stream. */
  readonly last: number
  /** Number of the first event that can be seen. */
  readonly firstVisible: number
  readonly isEmpty: boolean
}

/** Whether the page ends where the stream does (forward), or was asked for as its head (backward). */
export function isHeadPage(page: PageRequest, last: number): boolean {
  return page.direction === 'backward' ? page.from === 'head' : page.from + page.count - 1 >= last
}

/** Whether what is on the page can still change. */
export function isMutablePage(page: PageRequest, last: number): boolean {
  if (page.direction === 'forward') return page.from + page.count > last + 1
  return page.from === 'head' || page.from > last
}

/** @param self address of the stream; the addresses of its pages follow from it */
export function pageLinks(page: PageRequest, place: PagePlace, self: string): FeedLink[] {
  const { count } = page
  const link = (relation: string, path: string): FeedLink => ({ uri: `${self}${path}`, relation })
  const { next, previous } = neighbours(page, place)
  return [
    link('self', ''),
    link('first', `/head/backward/${count}`),
    ...(next === undefined
      ? []
      : [link('last', `/0/forward/${count}`), link('next', `/${next}/backward/${count}`)]),
    ...(previous === undefined ? [] : [link('previous', `/${previous}/forward/${count}`)]),
    link('metadata', '/metadata'),
  ]
}

type Neighbours = { readonly next: number | undefined; readonly previous: number | undefined }

/** Where the older and the newer page begin. */
function neighbours(page: PageRequest, { last, firstVisible, isEmpty }: PagePlace): Neighbours {
  const { count } = page
  if (page.direction === 'forward') {
    const end = Math.min(page.from + count - 1, last)
    const isAtEnd = page.from + count - 1 >= last
    return {
      next: page.from > 0 ? page.from - 1 : undefined,
      previous: isAtEnd && isEmpty ? undefined : end + 1,
    }
  }
  const from = page.from === 'head' ? last : page.from
  const low = from - count + 1
  const hasOlder = low > 0 && (low >= firstVisible || low > last)
  return {
    next: hasOlder ? from - count : undefined,
    previous: Math.min(from, last) + 1,
  }
}
