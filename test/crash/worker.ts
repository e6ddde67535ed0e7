/**
 * A writer that does as it is told, one JSON line a command on standard input, one JSON line an answer. It may
 * be killed at any time, or stop itself (SIGSTOP) at a chosen call of the disk.
 */
import { createInterface } from 'node:readline'
import { asyncDisk, type Disk, syncDisk } from '../../src/storage/file/disk.ts'
import { openLog } from './open-log.ts'
import { answerTo } from './worker-answers.ts'
import type { Command, StopAt } from './workers.ts'

const [root = '', lock = 'lock', segmentBytes = '', lockTimeoutMs = '', isLongLived = ''] =
  process.argv.slice(2)

let stopAt: StopAt | undefined
let left = 0

/** Paths of open files. */
const paths = new Map<unknown, string>()

/** Stops the process before or after the n-th call of one kind, on one file, once that was asked for. */
function stopping(disk: Disk): Disk {
  return new Proxy(disk, {
    get(target, name: keyof Disk) {
      const call = target[name] as ((...words: unknown[]) => unknown) | undefined
      if (!call) return undefined
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

/** Its index is written by a thread, where it is many events. */
const serverDisk: Disk = {
  ...syncDisk,
  ...(asyncDisk.writeIndex && { writeIndex: asyncDisk.writeIndex }),
}

const { log } = await openLog(root, {
  disk: stopping(isLongLived === 'true' ? serverDisk : syncDisk),
  lock: lock === 'lock' ? 'lock' : 'no-lock',
  segmentBytes: Number(segmentBytes),
  lockTimeoutMs: Number(lockTimeoutMs),
  isLongLived: isLongLived === 'true',
  // Every other one has a thread write whatever waits for the index.
  ...(process.pid % 2 === 0 && { besideEvents: 1 }),
})

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line) as Command & { stopAt?: StopAt }
  if (command.stopAt) {
    stopAt = command.stopAt
    left = stopAt.nth
  }
  void answerTo(log, command).then((answer) => {
    // An append that makes fewer calls passes the place by; the next one must not stop there.
    stopAt = undefined
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  })
})
