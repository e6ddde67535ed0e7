/**
 * Who may do what to which stream: the list in the stream's own metadata, else the default list in the stream
 * `$settings`, else the built-in rule (everybody for streams of users, admins for those that begin with `$`).
 */
import type { Principal } from './account.ts'
import { AppError } from './app-error.ts'
import { dataText, viewEvent } from './event-view.ts'
import type { LogEngine } from './ports.ts'
import type { KnownMetadata } from './reopening.ts'
import { streamSequence } from './sequence.ts'
import {
  type DefaultAcls,
  EVERYBODY,
  isLetIn,
  parseAcl,
  rolesFor,
  type StreamOperation,
} from './stream-acl.ts'
import { readStoredMetadata } from './stream-info.ts'
import { describedStream, parseObject, parseStreamMetadata } from './stream-metadata.ts'
import type { StreamName } from './stream-name.ts'

const SETTINGS_STREAM = '$settings' as StreamName

export type StreamRights = {
  allows(principal: Principal, operation: StreamOperation, stream: StreamName): Promise<boolean>
  /** @throws AppError `access-denied`; `credentials-missing` for whoever named no account */
  require(principal: Principal, operation: StreamOperation, stream: StreamName): Promise<void>
  /** `require` of `write`, with what was read for it: an append has to know whether the stream was deleted. */
  requireWrite(principal: Principal, stream: StreamName): Promise<KnownMetadata>
  /** Whether everybody may read a stream who may read at all. */
  isForEverybody(stream: StreamName): Promise<boolean>
}

export function createStreamRights(log: LogEngine): StreamRights {
  const roles = async (operation: StreamOperation, stream: StreamName, known?: KnownMetadata) => {
    const described = describedStream(stream)
    const asked = described ?? stream
    const what = described === undefined ? operation : onMetadata(operation)
    const isKnown = known !== undefined && described === undefined
    const stored = isKnown ? known.metadata : await readStoredMetadata(log, asked)
    const acl = stored && parseStreamMetadata(dataText(stored.event.data)).acl
    return { what, roles: rolesFor(what, asked, acl, await readDefaultAcls(log)) }
  }
  type Asked = [Principal, StreamOperation, StreamName, KnownMetadata?]
  const allows = async (...[principal, operation, stream, known]: Asked) => {
    if (principal.role === 'admin') return true
    const asked = await roles(operation, stream, known)
    return isLetIn(principal, asked.what, asked.roles)
  }
  const demand = async (...asked: Asked) => {
    if (await allows(...asked)) return
    const [principal, operation] = asked
    const code = principal.isAnonymous ? 'credentials-missing' : 'access-denied'
    throw new AppError(code, 'This account may not do that to this stream', { operation })
  }
  return {
    allows,
    require: demand,
    requireWrite: async (principal, stream) => {
      const known = { metadata: await readStoredMetadata(log, stream) }
      await demand(principal, 'write', stream, known)
      return known
    },
    isForEverybody: async (stream) => (await roles('read', stream)).roles.includes(EVERYBODY),
  }
}

/** A stream that holds metadata is read, written and deleted as the metadata of the other stream is. */
function onMetadata(operation: StreamOperation): StreamOperation {
  return operation === 'read' || operation === 'metadata-read' ? 'metadata-read' : 'metadata-write'
}

async function readDefaultAcls(log: LogEngine): Promise<DefaultAcls> {
  const [last] = await log.readSequence(
    streamSequence(SETTINGS_STREAM),
    Number.MAX_SAFE_INTEGER,
    'backwards',
    1,
  )
  const document = last && parseObject(dataText(viewEvent(last.event, last.number).data))
  const acl = (key: string) => {
    const parsed = parseAcl(document?.[key] ?? {})
    return parsed === 'malformed' ? {} : parsed
  }
  return { user: acl('$userStreamAcl'), system: acl('$systemStreamAcl') }
}
