/**
 * A writer that does as it is told, one JSON line a command on standard input, one JSON line an answer. It may
 * be killed at any time, or stop itself (SIGSTOP) at a chosen call of the disk.
 */
import { createInterface } from 'node:readline'
import { AppError } from '../../src/domain/app-error.ts'
import { parseStoredEvent, type StoredEvent } from '../../src/domain/event.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { type Disk, syncDisk } from '../../src/storage/file/disk.ts'
import { appendTo, draft, jsonBody } from '../support/drafts.ts'
import { openLog } from './open-log.ts'
import type { Answer, Command, StopAt } from './workers.ts'

const [root = '', lock = 'lock', segmentBytes = '', lockTimeoutMs = '', isLongLived = ''] =
  process.argv.slice(2)
type Placed = { readonly version: number }

let stopAt: StopAt | undefined
let left = 0

/** Paths of open files. */
const paths = new Map<unknown, string>()

/** Stops the process before or after the n-th call of one kind, on one file, once that was asked for. */
function stopping(disk: Disk): Disk {
  return new Proxy(disk, {
    get(target, name: keyof Disk) {
      const call = target[name] as (...words: unknown[]) => unknown
      return (...words: unknown[]) => {
        const path = typeof words[0] === 'string' ? words[0] : (paths.get(words[0]) ?? '')
        const isAsked = stopAt?.call === name && path.endsWith(stopAt.file)
        const isStop = isAsked && --left === 0
        if (isStop && stopAt?.when === 'before') process.kill(process.pid, 'SIGSTOP')
        const result = call(...words)
        if (name.startsWith('open')) paths.set(result, path)
        if (isStop && stopAt?.when === 'after') process.kill(process.pid, 'SIGSTOP')
        return result
      }
    },
  })
}

const { log } = await openLog(root, {
  disk: stopping(syncDisk),
  lock: lock === 'lock' ? 'lock' : 'no-lock',
  segmentBytes: Number(segmentBytes),
  lockTimeoutMs: Number(lockTimeoutMs),
  isLongLived: isLongLived === 'true',
})

async function run(command: Command): Promise<Answer> {
  const { n, id, stream, pad, expected } = command
  const [base] = [draft(0)]
  const event = { ...base, eventId: id as typeof base.eventId }
  const body = jsonBody(JSON.stringify({ id, pad: 'x'.repeat(pad) }))
  try {
    if (command.isLook) {
      const head = await log.sequenceHead(streamSequence(stream))
      return { n, kind: 'head', version: head?.number ?? -1 }
    }
    const { kind, events } = await log.append(
      appendTo(stream, [{ ...event, body }], {
        expectedVersion:
          expected === undefined ? { kind: 'any' } : { kind: 'version', version: expected },
      }),
    )
    const { version } = parseStoredEvent(events[0] as StoredEvent) as unknown as Placed
    return { n, kind, position: events[0]?.position ?? -1, hash: events[0]?.hash ?? '', version }
  } catch (error) {
    return { n, kind: 'refused', code: error instanceof AppError ? error.code : String(error) }
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line) as Command & { stopAt?: StopAt }
  if (command.stopAt) {
    stopAt = command.stopAt
    left = stopAt.nth
  }
  void run(command).then((answer) => {
    // An append that makes fewer calls passes the place by; the next one must not stop there.
    stopAt = undefined
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  })
})
