import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AppError } from '../../../src/domain/app-error.ts'
import type { ContentEngine, ContentHash } from '../../../src/domain/ports.ts'
import { createFileContent } from '../../../src/storage/file/content.ts'
import { asyncDisk, type Disk, syncDisk } from '../../../src/storage/file/disk.ts'
import type { Layout } from '../../../src/storage/file/layout.ts'
import { makeDataFolder, scratchFolders, tree } from '../../support/data-folder.ts'
import { faultyDisk } from '../../support/fault-disk.ts'

const newFolder = scratchFolders()
const clock = { now: () => Date.now() }
const NAMES = { filename: 'f', mediaType: 'text/plain' }
const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' as ContentHash

async function* hello(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('hello')
}

async function open(): Promise<{ root: string; layout: Layout; content: ContentEngine }> {
  const root = join(newFolder(), 'data')
  const { layout } = await makeDataFolder(syncDisk, root)
  return { root, layout, content: createFileContent({ disk: syncDisk, layout, clock }) }
}

/** What is found but for bytes that an upload or a removal left behind. */
async function problems(content: ContentEngine) {
  return (await content.verify()).findings.filter(({ kind }) => kind !== 'notice')
}

/** Runs `work` with a fault at every one of its calls, one run each; returns how many calls it made. */
async function atEveryCall(
  disk: Disk,
  plan: { code: string; mode: 'once' | 'from-then-on' },
  prepare: (content: ContentEngine) => Promise<unknown>,
  work: (content: ContentEngine) => Promise<unknown>,
  check: (after: { root: string; content: ContentEngine; error: unknown }) => Promise<void>,
): Promise<number> {
  for (let failAt = 1; ; failAt++) {
    const { root, layout, content } = await open()
    await prepare(content)
    const faulty = faultyDisk(disk, { ...plan, failAt, takeBytes: 2 })
    const broken = createFileContent({ disk: faulty.disk, layout, clock })
    const error = await work(broken).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    if (error !== undefined) expect(error, `call ${failAt}`).toBeInstanceOf(AppError)
    expect(await problems(content), `call ${failAt}`).toEqual([])
    await check({ root, content, error })
    expect(await problems(content), `call ${failAt}`).toEqual([])
    if (!faulty.hasFailed()) {
      expect(error).toBeUndefined()
      return faulty.calls.length
    }
  }
}

const faults = [
  { code: 'ENOSPC', mode: 'once' },
  { code: 'ENOSPC', mode: 'from-then-on' },
  { code: 'EIO', mode: 'once' },
  { code: 'EIO', mode: 'from-then-on' },
] as const

describe.each(faults)('$code at every call, $mode', (plan) => {
  it.each([
    ['synchronous', syncDisk],
    ['asynchronous', asyncDisk],
  ])('leaves an upload whole or not there, with %s calls', async (_, disk) => {
    const calls = await atEveryCall(
      disk,
      plan,
      async () => undefined,
      (content) => content.put(hello(), NAMES),
      async ({ root, content, error }) => {
        const info = await content.info(HELLO)
        if (error === undefined) expect(info).toMatchObject({ size: 5, filename: 'f' })
        if (info)
          expect(fs.readFileSync(join(root, `content/2c/${HELLO}.blob`), 'utf8')).toBe('hello')
        await content.put(hello(), NAMES)
        expect(await content.info(HELLO)).toBeDefined()
      },
    )
    expect(calls).toBeGreaterThan(15)
  })

  it('leaves content removed or whole', async () => {
    const calls = await atEveryCall(
      syncDisk,
      plan,
      (content) => content.put(hello(), NAMES),
      (content) => content.remove(HELLO),
      async ({ content, error }) => {
        if (error === undefined) expect(await content.info(HELLO)).toBeUndefined()
        await content.remove(HELLO)
        expect(await content.info(HELLO)).toBeUndefined()
      },
    )
    expect(calls).toBe(4)
  })
})

/** The calls of an upload between which a removal makes a difference. */
const decidingCalls = ['link', 'rename', 'status', 'syncFolder', 'openRead', 'unlink']

type Step = { readonly at: number; readonly run: () => void }

/** Nobody loses power here, and the same files are written a thousand times. */
const unsyncedDisk: Disk = { ...syncDisk, syncData: () => {}, syncFolder: () => {} }

/** `disk` with each step run before the deciding call of its number, counted from 1, or by `finish`. */
function interleaved(disk: Disk, steps: readonly Step[]) {
  const left = new Set(steps)
  let calls = 0
  const runUpTo = (limit: number) => {
    for (const step of left) {
      if (step.at > limit) continue
      left.delete(step)
      step.run()
    }
  }
  const entries = Object.entries(disk).map(([name, call]) => [
    name,
    (...args: unknown[]) => {
      if (decidingCalls.includes(name)) runUpTo(++calls)
      return (call as (...args: unknown[]) => unknown)(...args)
    },
  ])
  const finish = () => runUpTo(Number.POSITIVE_INFINITY)
  return { disk: Object.fromEntries(entries) as Disk, calls: () => calls, finish }
}

describe('an upload of bytes that are being removed', () => {
  it.each([
    ['sound', 1],
    ['damaged', 3],
  ])(
    'never ends as a description without bytes, however the steps fall, of %s ones',
    async (_, stride) => {
      const { root, layout } = await open()
      const content = createFileContent({ disk: unsyncedDisk, layout, clock })
      const about = join(root, `content/2c/${HELLO}.json`)
      const blob = join(root, `content/2c/${HELLO}.blob`)
      const remove = (path: string, at: number) => ({
        at,
        run: () => fs.rmSync(path, { force: true }),
      })
      let calls = 1
      let runs = 0
      // A removal in its three steps, at every i, j and k of the calls of an upload; how many there are shows.
      for (let i = 1; i <= calls; i++) {
        for (let j = i; j <= calls; j++) {
          for (let k = j; k <= calls; k += stride) {
            await content.put(hello(), NAMES)
            if (stride > 1) {
              fs.writeFileSync(blob, 'hallo')
              fs.writeFileSync(about, 'nothing')
            }
            const steps = [remove(about, i), remove(blob, j), remove(about, k)]
            const run = interleaved(unsyncedDisk, steps)
            await createFileContent({ disk: run.disk, layout, clock }).put(hello(), NAMES)
            run.finish()
            calls = Math.max(calls, run.calls())
            const isThere = [about, blob].map((path) => fs.existsSync(path))
            expect(isThere, `${i} ${j} ${k}`).not.toEqual([true, false])
            runs++
          }
        }
      }
      expect(runs).toBeGreaterThan(150)
    },
  )
})

/** Starts a process that uploads and removes without end, and kills it after `lines` acknowledgements. */
function killedUploader(root: string, seed: number, lines: number): Promise<string[]> {
  const script = join(import.meta.dirname, '../../support/upload-child.ts')
  const child = spawn(process.execPath, [script, root, 'many', String(seed)])
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (output.split('\n').length > lines) child.kill('SIGKILL')
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve(output.split('\n').slice(0, -1)))
  })
}

describe('kill -9', { timeout: 300_000 }, () => {
  const rounds = Number(process.env['APIE_TEST_KILLS'] ?? 6)

  it(`of uploading processes, ${rounds} times two, loses nothing acknowledged`, async () => {
    const { root, content } = await open()
    for (let round = 0; round < rounds; round++) {
      const killed = [round * 31, round * 31 + 25].map((seed, n) =>
        killedUploader(root, seed, 3 + ((round * 7 + n * 5) % 11)),
      )
      for (const lines of await Promise.all(killed)) expect(lines.length).toBeGreaterThan(0)
      const { counts } = await content.verify()
      expect(await problems(content)).toEqual([])
      for await (const { hash } of content.list()) {
        for await (const chunk of (await content.read(hash)) ?? []) expect(chunk).toBeDefined()
      }
      expect(counts['contents']).toBeGreaterThan(0)
    }
    expect(tree(join(root, 'content')).length).toBeGreaterThan(0)
  })

  it('loses nothing that one process was told is stored', async () => {
    const { root, content } = await open()
    for (let round = 0; round < rounds; round++) {
      const lines = await killedUploader(root, round * 17, 4 + round)
      const stored = new Set<string>()
      for (const line of lines) {
        if (line.startsWith('removing ')) stored.delete(line.slice(9))
        else stored.add(line)
      }
      // The last one may have met its removal before the word of it got out.
      const last = lines.at(-1)
      for (const hash of stored) {
        if (hash === last) continue
        expect(await content.info(hash as ContentHash), hash).toBeDefined()
      }
    }
  })
})
