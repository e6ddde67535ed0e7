/**
 * Lines and files of a log removed, repeated, swapped or taken from elsewhere, and an index of any bytes:
 * nothing is served that was not stored, what is wrong with a log is reported, what is wrong with an index is
 * repaired.
 */
import { basename, dirname } from 'node:path'
import { expect, test } from 'vitest'
import { AppError } from '../../src/domain/app-error.ts'
import { parseStoredEvent, type StoredEvent } from '../../src/domain/event.ts'
import { streamSequence } from '../../src/domain/sequence.ts'
import { appendTo, draft, jsonBody } from '../support/drafts.ts'
import { count, crashRun, type Random, scaled, tell } from './crash-run.ts'
import { type DiskImage, MemoryDisk } from './memory-disk.ts'
import { type OpenLog, openLog } from './open-log.ts'

const ROOT = '/data'
const turns = { boot: 'a boot', lock: 'no-lock', segmentBytes: 6000 } as const
const STREAMS = 4
const SEPARATOR = 10

type Original = {
  readonly image: DiskImage
  /** The same store some events earlier. */
  readonly earlier: DiskImage
  readonly foreign: DiskImage
  readonly folders: readonly string[]
  readonly events: readonly { readonly hash: string; readonly json: string }[]
}

async function makeLog(memory: MemoryDisk, from: number, to: number): Promise<void> {
  const { log } = await openLog(ROOT, { ...turns, disk: memory.disk })
  for (let n = from; n < to; n++) {
    const body = jsonBody(JSON.stringify({ n, pad: 'x'.repeat((n * 37) % 200) }))
    const drafts = Array.from({ length: 1 + (n % 3) }, (_, at) => ({ ...draft(4 * n + at), body }))
    await log.append(appendTo(`s-${n % STREAMS}`, drafts))
  }
  await log.close()
}

async function makeOriginal(): Promise<Original> {
  const foreign = new MemoryDisk()
  await makeLog(foreign, 0, 60)
  const memory = new MemoryDisk()
  await makeLog(memory, 0, 45)
  const earlier = memory.image()
  await makeLog(memory, 45, 60)
  const events: { hash: string; json: string }[] = []
  const { log } = await openLog(ROOT, { ...turns, disk: memory.disk })
  for await (const run of log.readLog(0, 1000, 'forwards')) {
    for (const { hash, json } of run) events.push({ hash, json: Buffer.from(json).toString() })
  }
  await log.close()
  const folders = memory.folderPaths()
  return { image: memory.image(), earlier, foreign: foreign.image(), folders, events }
}

/** Whatever a log serves, in whichever way, is what was stored there; errors are served to nobody. */
async function findChanged({ log }: OpenLog, { events }: Original): Promise<string[]> {
  const changed: string[] = []
  const look = (event: StoredEvent | undefined) => {
    if (!event) return
    const expected = events[event.position]
    const isSame =
      expected?.hash === event.hash && expected.json === Buffer.from(event.json).toString()
    if (!isSame) changed.push(`position ${event.position} is not what was stored`)
  }
  await orError(async () => {
    for await (const run of log.readLog(0, 1000, 'forwards')) run.forEach(look)
  })
  await orError(async () => {
    for await (const run of log.readLog(0, 1000, 'backwards')) run.forEach(look)
  })
  for (let stream = 0; stream < STREAMS; stream++) {
    await orError(async () => {
      const key = streamSequence(`s-${stream}`)
      for (const { number, event } of await log.readSequence(key, 0, 'forwards', 1000)) {
        look(event)
        const { stream: name, version } = parseStoredEvent(event) as unknown as {
          stream: string
          version: number
        }
        if (name !== `s-${stream}` || version !== number) {
          changed.push(`s-${stream}@${number} is ${name}@${version}`)
        }
      }
    })
  }
  for (let position = 0; position < events.length; position += 7) {
    await orError(async () => look(await log.read(position)))
  }
  return changed
}

/** Any error that is told is allowed; a process that hangs or dies is not. */
async function orError(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return false
  } catch (error) {
    if (error instanceof AppError) return true
    throw error
  }
}

type Image = Map<string, Buffer>
type Damage = readonly [what: string, change: (image: Image, random: Random, of: Original) => void]

const logPaths = (image: DiskImage) =>
  [...image.keys()].filter((path) => path.startsWith(`${ROOT}/log/`)).sort()
const indexPaths = (image: DiskImage) =>
  [...image.keys()].filter((path) => path.startsWith(`${ROOT}/index/`)).sort()
const pick = <T>(items: readonly T[], random: Random): T =>
  items[Math.floor(random() * items.length)] as T

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(SEPARATOR, start) + 1 || bytes.length
    lines.push(bytes.subarray(start, end))
    start = end
  }
  return lines
}

function changeLines(change: (lines: Buffer[], random: Random) => void) {
  return (image: Image, random: Random) => {
    const path = pick(logPaths(image), random)
    const lines = linesOf(image.get(path) as Buffer)
    change(lines, random)
    image.set(path, Buffer.concat(lines))
  }
}

const LOG_DAMAGE: readonly Damage[] = [
  [
    'a line removed',
    changeLines((lines, random) => lines.splice(Math.floor(random() * lines.length), 1)),
  ],
  [
    'a line repeated',
    changeLines((lines, random) => {
      const at = Math.floor(random() * (lines.length - 1))
      lines.splice(at, 0, lines[at] as Buffer)
    }),
  ],
  [
    'two lines swapped',
    changeLines((lines, random) => {
      const at = Math.floor(random() * (lines.length - 1))
      lines.splice(at, 2, lines[at + 1] as Buffer, lines[at] as Buffer)
    }),
  ],
  [
    'lines in any order',
    changeLines((lines, random) => {
      const others = lines.splice(1)
      while (others.length > 0) {
        const [line] = others.splice(Math.floor(random() * others.length), 1)
        lines.push(line as Buffer)
      }
    }),
  ],
  [
    'a file repeated',
    (image, random) => {
      const paths = logPaths(image)
      const at = Math.floor(random() * (paths.length - 1))
      image.set(paths[at + 1] ?? '', image.get(paths[at] ?? '') as Buffer)
    },
  ],
  ['a file removed', (image, random) => void image.delete(pick(logPaths(image), random))],
  ['the last file removed', (image) => void image.delete(logPaths(image).at(-1) ?? '')],
  [
    'two files swapped',
    (image, random) => {
      const paths = logPaths(image)
      const at = Math.floor(random() * (paths.length - 1))
      const [a = '', b = ''] = [paths[at], paths[at + 1]]
      const [first, second] = [image.get(a) as Buffer, image.get(b) as Buffer]
      image.set(a, second).set(b, first)
    },
  ],
  [
    'a file of another store',
    (image, random, { foreign }) => {
      const path = pick(logPaths(image), random)
      image.set(path, foreign.get(path) ?? Buffer.from('#apie\t1\n'))
    },
  ],
  [
    'a line of another store',
    (image, random, { foreign }) => {
      const path = pick(logPaths(image), random)
      const lines = linesOf(image.get(path) as Buffer)
      const others = linesOf(foreign.get(path) ?? Buffer.alloc(0))
      // Not the first event: two beginnings are alike good, and only the line behind one tells which is ours.
      const at = 2 + Math.floor(random() * (lines.length - 3))
      if (others[at]?.length === lines[at]?.length) lines.splice(at, 1, others[at] as Buffer)
      else lines.splice(at, 1)
      image.set(path, Buffer.concat(lines))
    },
  ],
  [
    'a file from an older copy',
    (image, _, { earlier }) => {
      const path = logPaths(earlier).at(-1) ?? ''
      image.set(path, earlier.get(path) as Buffer)
    },
  ],
  [
    'an older copy of the log with the newer index',
    (image, _, { earlier }) => {
      for (const path of logPaths(image)) image.delete(path)
      for (const path of logPaths(earlier)) image.set(path, earlier.get(path) as Buffer)
    },
  ],
  [
    'a file cut short',
    (image, random) => {
      const path = pick(logPaths(image), random)
      const bytes = image.get(path) as Buffer
      image.set(path, bytes.subarray(0, Math.floor(random() * bytes.length)))
    },
  ],
  [
    'a seal removed',
    (image, random) => {
      const path = pick(logPaths(image).slice(0, -1), random)
      image.set(path, Buffer.concat(linesOf(image.get(path) as Buffer).slice(0, -1)))
    },
  ],
  [
    'a byte changed in a seal',
    (image, random) => {
      const path = pick(logPaths(image).slice(0, -1), random)
      const bytes = Buffer.from(image.get(path) as Buffer)
      const at = bytes.length - 2 - Math.floor(random() * 100)
      bytes[at] = (bytes[at] as number) ^ 1
      image.set(path, bytes)
    },
  ],
]

/** The head stays: it is what tells a log that was cut from one that is shorter. */
function withoutIndexFiles(image: Image): void {
  for (const path of indexPaths(image)) if (basename(path) !== 'head') image.delete(path)
}

test('a log that was rearranged serves nothing else than was stored, and says so', async () => {
  const run = crashRun()
  const original = await makeOriginal()
  const bad: string[] = []
  let cases = 0
  let unchanged = 0
  for (; cases < scaled(2000); cases++) {
    const [what, change] = LOG_DAMAGE[cases % LOG_DAMAGE.length] as Damage
    const image: Image = new Map(original.image)
    change(image, run.random, original)
    const isSame = logPaths(original.image).every((path) =>
      image.get(path)?.equals(original.image.get(path) as Buffer),
    )
    if (isSame) {
      unchanged++
      continue
    }
    const hasIndex = run.random() < 0.5
    if (!hasIndex) withoutIndexFiles(image)
    const memory = new MemoryDisk(image, original.folders)
    const where = `${what}, ${hasIndex ? 'with' : 'without'} index files (case ${cases})`
    const opened = await openLog(ROOT, { ...turns, disk: memory.disk })
    for (const problem of await findChanged(opened, original)) bad.push(`${where}: ${problem}`)
    const isRefused = await orError(async () => {
      await opened.log.append(appendTo('s-new', [draft(9999)]))
    })
    if (!hasIndex && !isRefused) bad.push(`${where}: an append went through`)
    const report = await opened.log.verify()
    if (!report.findings.some(({ kind }) => kind === 'damage')) bad.push(`${where}: not reported`)
    const isBuilt = !(await orError(() => opened.log.reindex(() => {})))
    if (isBuilt) bad.push(`${where}: an index was built of it`)
    await opened.log.close()
  }
  count('rearranged logs', cases - unchanged)
  tell(`${cases - unchanged} logs rearranged in ${LOG_DAMAGE.length} ways`)
  expect(bad.slice(0, 20)).toEqual([])
})

function changeIndexFile(change: (bytes: Buffer, random: Random) => Buffer) {
  return (image: Image, random: Random) => {
    const path = pick(indexPaths(image), random)
    image.set(path, change(image.get(path) as Buffer, random))
  }
}

function changeHead(change: (bytes: Buffer, random: Random) => Buffer) {
  return (image: Image, random: Random) => {
    const path = `${ROOT}/index/head`
    image.set(path, change(image.get(path) as Buffer, random))
  }
}

const INDEX_DAMAGE: readonly Damage[] = [
  [
    'some random bytes',
    changeIndexFile((bytes, random) => {
      const changed = Buffer.from(bytes)
      const at = Math.floor(random() * changed.length)
      for (let n = 0; n < 40 && at + n < changed.length; n++) changed[at + n] = random() * 256
      return changed
    }),
  ],
  [
    'nothing but random bytes',
    changeIndexFile((bytes, random) => bytes.map(() => random() * 256) as Buffer),
  ],
  [
    'zeros in places',
    changeIndexFile((bytes, random) => {
      const changed = Buffer.from(bytes)
      for (let n = 0; n < 40; n++) {
        const at = Math.floor(random() * changed.length)
        changed.fill(0, at, Math.min(at + 24, changed.length))
      }
      return changed
    }),
  ],
  ['nothing but zeros', changeIndexFile((bytes) => Buffer.alloc(bytes.length))],
  [
    'an end cut off',
    changeIndexFile((bytes, random) => bytes.subarray(0, random() * bytes.length)),
  ],
  ['an empty file', changeIndexFile(() => Buffer.alloc(0))],
  ['a file removed', (image, random) => void image.delete(pick(indexPaths(image), random))],
  [
    'all removed',
    (image) => {
      for (const path of indexPaths(image)) image.delete(path)
    },
  ],
  [
    'an older head',
    (image, _, { earlier }) => {
      const path = `${ROOT}/index/head`
      image.set(path, earlier.get(path) as Buffer)
    },
  ],
  [
    'a newer head',
    (image, _, { earlier }) => {
      for (const path of indexPaths(image)) {
        const old = basename(path) === 'head' ? undefined : earlier.get(path)
        if (old) image.set(path, old)
      }
    },
  ],
  [
    'a head of random bytes',
    changeHead((bytes, random) => bytes.map(() => random() * 256) as Buffer),
  ],
  [
    'a head with a byte changed',
    changeHead((bytes, random) => {
      const changed = Buffer.from(bytes)
      const at = Math.floor(random() * changed.length)
      changed[at] = (changed[at] as number) ^ (1 << Math.floor(random() * 8))
      return changed
    }),
  ],
  [
    'an older copy of one file',
    (image, random, { earlier }) => {
      const path = pick(indexPaths(image), random)
      const old = earlier.get(path)
      if (old) image.set(path, old)
    },
  ],
  [
    'an older copy of all',
    (image, _, { earlier }) => {
      for (const path of indexPaths(image)) image.delete(path)
      for (const path of indexPaths(earlier)) image.set(path, earlier.get(path) as Buffer)
    },
  ],
  [
    'the index of another store',
    (image, _, { foreign }) => {
      for (const path of indexPaths(image)) image.delete(path)
      for (const path of indexPaths(foreign)) image.set(path, foreign.get(path) as Buffer)
    },
  ],
]

test('an index of any bytes leads to nothing else than was stored, and is repaired', async () => {
  const run = crashRun()
  const original = await makeOriginal()
  const bad: string[] = []
  let cases = 0
  let errors = 0
  for (; cases < scaled(1000); cases++) {
    const [what, change] = INDEX_DAMAGE[cases % INDEX_DAMAGE.length] as Damage
    const image: Image = new Map(original.image)
    change(image, run.random, original)
    const folders = new Set([...original.folders, ...[...image.keys()].map(dirname)])
    const memory = new MemoryDisk(image, folders)
    const opened = await openLog(ROOT, { ...turns, disk: memory.disk })
    const where = `${what} (case ${cases})`
    for (const problem of await findChanged(opened, original)) bad.push(`${where}: ${problem}`)
    const report = await opened.log.verify()
    const damage = report.findings.filter(({ kind }) => kind === 'damage')
    for (const { message } of damage) bad.push(`${where}: ${message}`)
    if (report.findings.length > 0) errors++
    await opened.log.reindex(() => {})
    const after = await opened.log.verify()
    for (const { message } of after.findings) bad.push(`${where}, behind reindex: ${message}`)
    const { kind } = await opened.log
      .append(appendTo('s-0', [draft(0)]))
      .catch(() => ({ kind: '' }))
    if (kind === 'appended') bad.push(`${where}: behind reindex an event was stored again`)
    await opened.log.append(appendTo('s-new', [draft(9999)]))
    if ((await opened.log.head()).count !== original.events.length + 1) bad.push(`${where}: count`)
    await opened.log.close()
  }
  count('indexes of any bytes', cases)
  tell(`${cases} indexes in ${INDEX_DAMAGE.length} ways, ${errors} with something to report`)
  expect(bad.slice(0, 20)).toEqual([])
})
