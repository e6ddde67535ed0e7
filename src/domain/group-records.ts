/**
 * Where subscription groups are kept: one record each, definition and state together, so that one
 * compare-and-set decides who is handed what, also against whoever removes the group.
 */
import { AppError } from './app-error.ts'
import type { RecordEngine, StoredRecord } from './ports.ts'
import type { StreamName } from './stream-name.ts'
import {
  fromDocument,
  type Group,
  type GroupDocument,
  type GroupId,
  toDocument,
} from './subscription-group.ts'

const GROUPS = 'group'
/** So many others may get in between before a change gives up; somebody gets through each time. */
const TRIES = 500

export type GroupRecords = {
  find(id: GroupId): Promise<Group | undefined>
  /** Those of a stream, or all; in the order in which they were first made. */
  list(stream?: StreamName): Promise<readonly Group[]>
  /** @throws AppError `group-exists` */
  add(group: Group): Promise<void>
  /**
   * Replaces a group with what `next` makes of it; the same object: nothing changes. `next` runs again where
   * somebody else was faster.
   * @returns what is kept then
   * @throws AppError `group-not-found`; what `next` throws
   */
  change(id: GroupId, next: (now: Group) => Group | Promise<Group>): Promise<Group>
  /** @throws AppError `group-not-found` */
  remove(id: GroupId): Promise<void>
}

export function createGroupRecords(records: RecordEngine): GroupRecords {
  const inTurn = createTurns()
  const read = async (id: GroupId): Promise<StoredRecord> => {
    const record = await records.read(GROUPS, keyOf(id))
    if (record) return record
    throw new AppError('group-not-found', 'There is no subscription group of this name', id)
  }
  return {
    async find(id) {
      const record = await records.read(GROUPS, keyOf(id))
      return record && groupOf(record)
    },
    list: async (stream) => (await records.list(GROUPS, stream)).map(groupOf),
    async add(group) {
      try {
        await records.write(GROUPS, keyOf(group.id), toDocument(group), 'absent')
      } catch (error) {
        if (!isConflict(error)) throw error
        const message = 'There is a subscription group of this name already'
        throw new AppError('group-exists', message, group.id, error)
      }
    },
    change: (id, next) =>
      inTurn(keyOf(id), () =>
        untilFirst(async () => {
          const record = await read(id)
          const now = groupOf(record)
          const changed = await next(now)
          if (changed === now) return now
          await records.write(GROUPS, record.key, toDocument(changed), record.revision)
          return changed
        }),
      ),
    remove: (id) =>
      inTurn(keyOf(id), () =>
        untilFirst(async () => {
          const { key, revision } = await read(id)
          await records.remove(GROUPS, key, revision)
        }),
      ),
  }
}

/** The records of one stream can be listed alone. */
const keyOf = ({ stream, name }: GroupId): string => `${stream}/${name}`

const groupOf = ({ value }: StoredRecord): Group => fromDocument(value as GroupDocument)

async function untilFirst<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isConflict(error) || tries === TRIES) throw error
    }
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof AppError && error.code === 'record-conflict'
}

/** Work under one key runs one by one in this process: it would only get in its own way. */
function createTurns() {
  const last = new Map<string, Promise<unknown>>()
  return <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const before = last.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    last.set(key, mine)
    const forget = () => {
      if (last.get(key) === mine) last.delete(key)
    }
    mine.then(forget, forget)
    return mine
  }
}
