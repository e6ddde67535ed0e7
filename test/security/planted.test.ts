/** Symbolic links where our files stand, and folders to import that are not what they say. */

import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSettings } from '../../src/config.ts'
import type { Store } from '../../src/domain/ports.ts'
import { openCommandStore, originalFolders } from '../../src/wire.ts'
import { pick } from '../crash/crash-run.ts'
import { appendTo, draft } from '../support/drafts.ts'
import { PROJECT } from '../support/executable.ts'
import { chance, scaled } from './security-run.ts'

let root = ''
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'apie-planted-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const open = (data: string) =>
  openCommandStore(
    readSettings({ options: { data, store: `file:${data}`, sync: 'unsafe-off' } }),
    'create',
  )
const bytes = async function* (text: string) {
  yield Buffer.from(text)
}

/** Everything that a store does; what fails is what the link is for. */
async function useStore(data: string, n: number): Promise<void> {
  const attempt = async (work: () => Promise<unknown>) => {
    await work().catch(() => undefined)
  }
  let store: Store | undefined
  await attempt(async () => {
    store = await open(data)
  })
  const found = store
  if (!found) return
  await attempt(() => found.log.append(appendTo('s', [draft(n)])))
  await attempt(() =>
    found.content.put(bytes(`content ${n}`), { filename: 'a', mediaType: 'text/plain' }),
  )
  await attempt(() => found.log.verify(() => undefined))
  await attempt(() => found.content.verify(() => undefined))
  await attempt(() => found.close())
}

describe('a symbolic link', () => {
  it('in place of any file of the data folder is never written through', async () => {
    const sample = join(root, 'sample')
    await useStore(sample, 1)
    await useStore(sample, 2)
    const victim = join(root, 'victim')
    const files = readdirSync(sample, { recursive: true, encoding: 'utf8' }).filter((name) =>
      lstatSync(join(sample, name)).isFile(),
    )
    expect(files.length).toBeGreaterThan(8)
    for (const [n, name] of files.entries()) {
      const data = join(root, `planted-${n}`)
      execFileSync('cp', ['-a', sample, data])
      writeFileSync(victim, 'victim')
      unlinkSync(join(data, name))
      symlinkSync(victim, join(data, name))
      await useStore(data, n + 10)
      expect([name, readFileSync(victim, 'utf8')]).toEqual([name, 'victim'])
      // One that leads nowhere must not be made either.
      rmSync(victim)
      await useStore(data, n + 1000)
      expect([name, existsSync(victim)]).toEqual([name, false])
    }
  })
})

describe('a folder to import', () => {
  const original = join(PROJECT, 'test/disk/original')
  const HASH = '[0-9a-f]{64}'

  it('that leads out of itself brings nothing from outside: 100 of them', async () => {
    const random = chance(20_260_207)
    const secret = join(root, 'secret')
    mkdirSync(secret, { recursive: true })
    writeFileSync(join(secret, 'file'), 'shibboleth')
    const places = [
      '../../../secret/file',
      join(secret, 'file'),
      '/etc/passwd',
      '..',
      '.',
      'a\0b',
      '%2e%2e',
    ]
    for (let n = 0; n < scaled(100); n++) {
      const folder = join(root, `import-${n}`)
      cpSync(original, folder, { recursive: true })
      const index = join(folder, 'events/default/index')
      const media = readdirSync(join(folder, 'media')).filter((name) => /^[0-9a-f]{2}$/.test(name))
      const fan = join(folder, 'media', pick(random, media))
      const own = join(fan, readdirSync(fan)[0] ?? '')
      switch (n % 5) {
        case 0: {
          const lines = readFileSync(index, 'utf8')
          writeFileSync(
            index,
            lines.replace(new RegExp(HASH), pick(random, places).padEnd(64, '/')),
          )
          break
        }
        case 1: {
          const name = readdirSync(own)[0] ?? ''
          unlinkSync(join(own, name))
          symlinkSync(join(secret, 'file'), join(own, name))
          break
        }
        case 2:
          renameSync(own, join(fan, 'x'))
          symlinkSync(secret, own)
          break
        case 3:
          renameSync(fan, join(folder, 'away'))
          symlinkSync(secret, fan)
          break
        default: {
          const events = join(folder, 'events/default')
          const line = readFileSync(index, 'utf8').split('\n')[0] ?? ''
          const hash = line.slice(11)
          const file = join(events, hash.slice(0, 2), hash, `${line.slice(0, 10)}.json`)
          unlinkSync(file)
          symlinkSync(join(secret, 'file'), file)
        }
      }
      const data = join(root, `imported-${n}`)
      const store = await open(data)
      const outcome = await originalFolders
        .importOriginal(store, folder, () => undefined)
        .catch((error: unknown) => error)
      await store.close()
      expect([n, outcome instanceof Error ? outcome.name : 'taken']).toEqual([
        n,
        expect.toBeOneOf(['AppError', 'taken']),
      ])
      const found = execFileSync('sh', ['-c', `grep -rl shibboleth '${data}' || true`], {
        encoding: 'utf8',
      })
      expect([n, found]).toEqual([n, ''])
      expect(readFileSync(join(secret, 'file'), 'utf8')).toBe('shibboleth')
      rmSync(folder, { recursive: true })
      rmSync(data, { recursive: true })
    }
  })
})
