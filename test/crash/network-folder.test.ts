/** A folder of a network file system with one machine that writes, where the kernel of this machine has one. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { crashRun, inParallel, scaled } from './crash-run.ts'
import { ExecutableStore } from './executable-store.ts'

/** Kernels in containers mostly have neither a server nor a client of NFS. */
const hasNfs = ['nfsd', 'nfs4'].every((name) =>
  new RegExp(`\\b${name}$`, 'm').test(readFileSync('/proc/filesystems', 'utf8')),
)

test.skipIf(!hasNfs)('a folder on NFS with one machine keeps what was acknowledged', async () => {
  const run = crashRun()
  const [exported, place] = [join(run.folder(), 'exported'), join(run.folder(), 'place')]
  for (const path of [exported, place]) mkdirSync(path)
  const options = 'rw,sync,no_root_squash,insecure,fsid=7'
  spawnSync('exportfs', ['-o', options, `127.0.0.1:${exported}`])
  const mounted = spawnSync('mount', ['-t', 'nfs4', `127.0.0.1:${exported}`, place])
  expect(mounted.status, String(mounted.stderr)).toBe(0)
  try {
    const store = new ExecutableStore(join(place, 'data'))
    const requests = Array.from({ length: scaled(100) }, (_, n) => n)
    await inParallel(requests, 4, async (n) => {
      const around = run.random() < 0.3 ? ['timeout', '-s', 'KILL', `0.${n % 10}5`] : []
      await store.append({ around })
    })
    expect(await store.findViolations()).toEqual([])
  } finally {
    spawnSync('umount', [place])
    spawnSync('exportfs', ['-u', `127.0.0.1:${exported}`])
  }
})
