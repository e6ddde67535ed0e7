/** Readers that wait for an event that is not there yet (`ES-LongPoll`). */
import type { HttpRequest } from '../../http/message.ts'
import type { AtomParts, AtomSettings } from './parts.ts'
import { headerOf, wrongFormat } from './request-headers.ts'

/** How long a request is ready to wait, in ms, as far as the settings let it. @throws AppError `bad-header` */
export function longPollOf(request: HttpRequest, { longPollMs }: AtomSettings): number {
  const text = headerOf(request, 'LongPoll')
  if (text === undefined) return 0
  if (!/^[0-9]{1,9}$/.test(text) || Number(text) === 0) throw wrongFormat('ES-LongPoll')
  return Math.min(Number(text) * 1000, longPollMs)
}

/** Looks again whenever the log has grown, until it is enough, `timeoutMs` are over or the process ends. */
export async function waitForEvent<T>(
  { log, ending }: Pick<AtomParts, 'log' | 'ending'>,
  timeoutMs: number,
  look: () => Promise<T>,
  isEnough: (seen: T) => boolean,
): Promise<T> {
  if (timeoutMs === 0 || ending.aborted) return look()
  const end = new AbortController()
  const finish = () => end.abort()
  const timer = setTimeout(finish, timeoutMs)
  ending.addEventListener('abort', finish)
  try {
    for (;;) {
      const { count } = await log.head()
      const seen = await look()
      if (end.signal.aborted || isEnough(seen)) return seen
      await log.waitForMore(count, end.signal)
    }
  } finally {
    clearTimeout(timer)
    ending.removeEventListener('abort', finish)
  }
}
