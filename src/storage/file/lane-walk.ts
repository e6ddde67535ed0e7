/**
 * Ways along the members of one sequence, by what each says of those before it (`entry.ts`). `laneAt` reads
 * that of the member at a position.
 */
import type { ReadDirection, SequenceHead } from '../../domain/ports.ts'
import { damagedIndex } from './damaged-index.ts'
import type { Lane } from './entry.ts'
import { type KnownSequence, UNKNOWN_SKIP } from './known-sequences.ts'

export type LaneAt = (position: number) => Lane

/** Links lead backwards: what does not is no index, and must not be followed for ever. */
export function checkedLane(found: Lane | undefined, position: number, lane: number): Lane {
  if (!found || found.previous >= position || found.skip >= position) {
    throw damagedIndex(`has position ${position} not in lane ${lane}`)
  }
  return found
}

/**
 * The skip pointer of the member that comes behind the last one of a sequence.
 * @param laneAt reads the lane that the sequence has in its members
 */
export function skipBehind(last: KnownSequence, laneAt: LaneAt): number {
  // Clearing the lowest set bit of number + 1 is reached from the member before by clearing its own
  // lowest bits, one for each zero at the end.
  let ones = last.number + 1
  let skip = last.position
  if (ones % 2 === 1) {
    skip = last.skip === UNKNOWN_SKIP ? laneAt(skip).skip : last.skip
    for (ones = Math.floor(ones / 2); ones % 2 === 1 && skip >= 0; ones = Math.floor(ones / 2)) {
      skip = laneAt(skip).skip
    }
  }
  return skip
}

/**
 * Members of a sequence that ends with `head`, in reading order from number `from` on, at most `limit`.
 * @param passedAt like `laneAt`, of members on the way to the first one
 */
export function membersFrom(
  head: SequenceHead,
  from: number,
  direction: ReadDirection,
  limit: number,
  laneAt: LaneAt,
  passedAt: LaneAt,
): SequenceHead[] {
  if (limit < 1 || from < 0) return []
  const isForwards = direction === 'forwards'
  if (isForwards && from > head.number) return []
  const last = isForwards ? Math.min(from + limit - 1, head.number) : Math.min(from, head.number)
  const count = isForwards ? last - from + 1 : Math.min(limit, last + 1)
  const members = descend(seek(head, last, passedAt), count, laneAt)
  return isForwards ? members.reverse() : members
}

/** From a member down to the one with `number`. */
function seek(head: SequenceHead, number: number, laneAt: LaneAt): SequenceHead {
  let at = head
  while (at.number > number) {
    const { previous, skip } = laneAt(at.position)
    const skipped = clearLowestBit(at.number + 1) - 1
    at =
      skip >= 0 && skipped >= number
        ? { number: skipped, position: skip }
        : { number: at.number - 1, position: previous }
  }
  return at
}

/** The last member of a sequence below position `end`. */
export function descendBelow(
  { number, position }: SequenceHead,
  end: number,
  laneAt: LaneAt,
): SequenceHead | undefined {
  const head = { number, position }
  while (head.position >= end) {
    head.position = laneAt(head.position).previous
    head.number--
  }
  return head.position < 0 ? undefined : head
}

/** A member and those before it, `count` in all. */
function descend(from: SequenceHead, count: number, laneAt: LaneAt): SequenceHead[] {
  const members: SequenceHead[] = [from]
  for (let { number, position } = from; members.length < count; ) {
    position = laneAt(position).previous
    number--
    if (position < 0) throw damagedIndex(`has a sequence that ends before number ${number}`)
    members.push({ number, position })
  }
  return members
}

/** Bit operators work on 32 bits only; numbers of events go beyond. */
function clearLowestBit(value: number): number {
  if (value < 2 ** 31) return value & (value - 1)
  const low = value % 2 ** 31
  return low === 0 ? clearLowestBit(value / 2 ** 31) * 2 ** 31 : value - low + clearLowestBit(low)
}
