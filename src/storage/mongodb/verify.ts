/** Recomputes what the log of a database says: chain, commits, members and numbers. Changes nothing but what was left undone. */
import { EMPTY_HASH, type EventHash, parseStoredEvent } from '../../domain/event.ts'
import type { Progress, VerifyReport } from '../../domain/ports.ts'
import { categoryOf } from '../../domain/sequence.ts'
import { linkProblem } from '../database/event-link.ts'
import { Findings } from '../database/findings.ts'
import type { Collections, Connection } from './connection.ts'
import { type EventDocument, pointOf, toStoredEvent } from './documents.ts'
import { lastCommit, type Visible } from './visible.ts'

const BATCH = 200

type Find = Findings['damage']

/** Each kind of sequence, in the order of an index. */
const KINDS = [
  { names: ['stream'], number: 'version' },
  { names: ['stream', 'type'], number: 'streamTypeNumber' },
  { names: ['type'], number: 'typeNumber' },
  { names: ['category'], number: 'categoryNumber' },
  { names: [], number: 'streamsNumber' },
] as const

export function verifyLog(
  connection: Connection,
  visible: Visible,
  progress: Progress,
): Promise<VerifyReport> {
  return connection.read(async (collections) => {
    const head = pointOf(await lastCommit(collections))
    await visible.reach(head.count)
    const findings = new Findings()
    const find = findings.damage
    const last = await verifyEvents(collections, head.count, find, progress)
    if (last.count !== head.count || last.hash !== head.hash) {
      find('The last commit does not name the last event', head.count, head.hash)
    }
    await verifyCommits(collections, head.count, find)
    for (const kind of KINDS) await verifyNumbers(collections, head.count, kind, find)
    const { count: events, scavenged } = last
    return findings.report({ events, ...(scavenged > 0 && { scavenged }) })
  })
}

async function verifyEvents(
  { events }: Collections,
  count: number,
  find: Find,
  progress: Progress,
) {
  let position = 0
  let hash = EMPTY_HASH
  let scavenged = 0
  const options = { sort: { _id: 1 }, batchSize: BATCH } as const
  for await (const document of events.find({ _id: { $lt: count } }, options)) {
    const event = toStoredEvent(document)
    if (event.position !== position) find('An event is missing before this one', event.position)
    const problem = linkProblem(hash, event, document.scavenged)
    if (problem) find(problem, event.position, event.hash)
    if (event.isScavenged) scavenged++
    if (!isIndexed(document)) find('The members of the event are wrong', event.position)
    hash = event.hash
    position = event.position + 1
    if (position % BATCH === 0) progress(position, count)
  }
  progress(position, count)
  return { count: position, hash, scavenged }
}

function isIndexed(document: EventDocument): boolean {
  try {
    const event = parseStoredEvent(toStoredEvent(document))
    return (
      document.eventId === event.eventId.toLowerCase() &&
      document.stream === event.stream &&
      document.type === event.eventType &&
      document.category === categoryOf(event.stream) &&
      (event.producer === undefined || document.owner !== undefined) &&
      (document.version === 0) === (document.streamsNumber !== undefined)
    )
  } catch {
    return false
  }
}

async function verifyCommits(
  { commits, events }: Collections,
  count: number,
  find: Find,
): Promise<void> {
  let end = 0
  let hash: string = EMPTY_HASH
  const options = { sort: { _id: 1 }, projection: { events: 0 }, batchSize: BATCH } as const
  for await (const commit of commits.find({ _id: { $lt: count } }, options)) {
    if (commit._id !== end || commit.previous !== hash) {
      find('A commit does not follow the one before', commit._id)
    }
    const last = await events.findOne(
      { _id: commit.end - 1 },
      { projection: { hash: 1, commit: 1 } },
    )
    if (last?.hash !== commit.hash || last.commit !== commit._id) {
      find('A commit does not name its last event', commit._id, commit.hash as EventHash)
    }
    end = commit.end
    hash = commit.hash
  }
}

/** In the order of its index: numbers count from 0 in each sequence, and positions grow with them. */
async function verifyNumbers(
  { events }: Collections,
  count: number,
  { names, number }: (typeof KINDS)[number],
  find: Find,
): Promise<void> {
  const sort: Record<string, 1> = {}
  for (const name of [...names, number]) sort[name] = 1
  const projection = { ...sort, _id: 1 }
  const filter = { [number]: { $gte: 0 }, _id: { $lt: count } }
  let before: Partial<EventDocument> | undefined
  for await (const event of events.find(filter, { sort, projection, batchSize: BATCH })) {
    const isSame = before !== undefined && names.every((name) => before?.[name] === event[name])
    const expected = isSame ? (before?.[number] ?? -1) + 1 : 0
    if (event[number] !== expected || (isSame && event._id <= (before?._id ?? -1))) {
      find('The number of the event in a sequence is wrong', event._id)
    }
    before = event
  }
}
