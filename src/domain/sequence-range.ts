/** Parts of a sequence: from positions of the log to numbers, and page by page with bounded memory. */
import type { Position, StoredEvent } from './event.ts'
import type { LogEngine, ReadDirection } from './ports.ts'
import type { SequenceKey } from './sequence.ts'

/** How many members a sequence has: the number of the next one. */
export async function sequenceEnd(
  engine: Pick<LogEngine, 'sequenceHead'>,
  sequence: SequenceKey,
): Promise<number> {
  const head = await engine.sequenceHead(sequence)
  return head === undefined ? 0 : head.number + 1
}

/**
 * Number of the first member of a sequence that stands at `position` or later; one more than its last where
 * there is none. Steps back from the head in doubling strides, then halves: readers mostly ask for what is new.
 */
export async function firstNumberAt(
  engine: LogEngine,
  sequence: SequenceKey,
  position: Position,
): Promise<number> {
  const head = await engine.sequenceHead(sequence)
  if (head === undefined || position === 0) return 0
  if (head.position < position) return head.number + 1
  const isBefore = async (number: number) => {
    const [member] = await engine.readSequence(sequence, number, 'forwards', 1)
    return member !== undefined && member.event.position < position
  }
  let high = head.number
  let low = 0
  for (let stride = 1; high > 0; stride *= 2) {
    const probe = Math.max(0, high - stride)
    if (await isBefore(probe)) {
      low = probe + 1
      break
    }
    high = probe
  }
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (await isBefore(middle)) low = middle + 1
    else high = middle
  }
  return low
}

const FIRST_PAGE = 16
const LARGEST_PAGE = 512
/** Bytes of one page that are plenty. */
const PAGE_BYTES = 512 * 1024

/** The members from number `low` (inclusive) to `high` (exclusive), in pages that stay small in bytes. */
export async function* readSequenceRange(
  engine: LogEngine,
  sequence: SequenceKey,
  low: number,
  high: number,
  direction: ReadDirection,
): AsyncGenerator<readonly StoredEvent[]> {
  let size = FIRST_PAGE
  let left = high - low
  while (left > 0) {
    const from = direction === 'forwards' ? high - left : low + left - 1
    const page = await engine.readSequence(sequence, from, direction, Math.min(size, left))
    if (page.length === 0) return
    yield page.map(({ event }) => event)
    left -= page.length
    const bytes = page.reduce((sum, { event }) => sum + event.json.length, 0)
    if (bytes > PAGE_BYTES) size = Math.max(1, Math.floor(size / 4))
    else if (bytes < PAGE_BYTES / 4) size = Math.min(LARGEST_PAGE, size * 2)
  }
}
