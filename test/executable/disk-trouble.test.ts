/** Folders that others can write, that nobody can write, and that are full. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeVariants, isRoot } from '../support/apache-variants.ts'
import { cgiVariables, runCgi } from '../support/cgi-run.ts'
import { EXECUTABLE, run } from '../support/executable.ts'
import { errorCode, useApache } from '../support/use-apache.ts'

const EVENT = '{"eventType":"t","body":{"x":1}}'

describeVariants('a data folder', (variant) => {
  const apache = useApache({ variant, shape: 'script-alias' })
  const append = () => apache().send('/events', { method: 'POST', body: EVENT })

  it('that others can write is refused unless a setting allows it', async () => {
    chmodSync(apache().dataFolder, 0o770)
    const answer = await apache().send('/events')
    const verify = ['verify', '--data', apache().dataFolder]
    const allowed = { APIE_ALLOW_UNSAFE_DATA: 'true', PATH: '/usr/bin:/bin' }
    const forced = await run(apache().program, verify, {
      user: apache().user,
      environment: allowed,
    })
    chmodSync(apache().dataFolder, 0o700)
    expect([answer.status, errorCode(answer.text)]).toEqual([503, 'data-folder-unsafe'])
    expect(forced.status, forced.err).toBe(0)
  })

  it('that cannot be written is still read, and an append says so', async () => {
    expect((await append()).status).toBe(200)
    const { dataFolder } = apache()
    const names = ['', ...readdirSync(dataFolder, { recursive: true, encoding: 'utf8' })]
    const modes = names.map((name) => ({
      path: join(dataFolder, name),
      mode: statSync(join(dataFolder, name)).mode,
    }))
    for (const { path, mode } of [...modes].reverse()) chmodSync(path, mode & 0o500)
    const read = await apache().send('/events')
    const refused = await append()
    for (const { path, mode } of modes) chmodSync(path, mode & 0o777)
    expect(read.status, read.text).toBe(200)
    expect(JSON.parse(read.text)).toHaveLength(1)
    expect(errorCode(refused.text)).toBe('storage-read-only')
    expect([503, 507]).toContain(refused.status)
    expect((await append()).status).toBe(200)
  })
})

describe.skipIf(!isRoot)('a full disk (left out unless root: it mounts a small one)', () => {
  const mount = mkdtempSync(join(tmpdir(), 'apie-full-'))
  const variables = { APIE_DATA: join(mount, 'data'), APIE_ANONYMOUS: 'admin' }
  beforeAll(() => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', mount]))
  afterAll(() => {
    execFileSync('umount', [mount])
    rmSync(mount, { recursive: true })
  })

  it('refuses appends with a code, keeps reading, and goes on when there is room', async () => {
    const ask = (method: string, target: string, body?: string) =>
      runCgi(EXECUTABLE, { method, target, variables, ...(body === undefined ? {} : { body }) })
    expect((await ask('POST', '/events', EVENT)).code).toBe(200)
    mkdirSync(join(mount, 'other'))
    await run('sh', ['-c', 'head -c 20000000 /dev/zero > ballast'], {
      folder: join(mount, 'other'),
    })
    const refused = await ask(
      'POST',
      '/events',
      JSON.stringify({ eventType: 't', body: 'x'.repeat(9000) }),
    )
    expect([refused.code, errorCode(refused.body)]).toEqual([507, 'storage-full'])
    const read = await ask('GET', '/events')
    expect(JSON.parse(read.body)).toHaveLength(1)
    rmSync(join(mount, 'other'), { recursive: true })
    expect((await ask('POST', '/events', EVENT)).code).toBe(200)
    expect(JSON.parse((await ask('GET', '/events')).body)).toHaveLength(2)
    expect((await run(EXECUTABLE, ['verify', '--data', variables.APIE_DATA])).status).toBe(0)
  })
})

describe('a new data folder', () => {
  it.each(['000', '022', '077'])('is private under umask %s', async (umask) => {
    const parent = mkdtempSync(join(tmpdir(), 'apie-umask-'))
    const data = join(parent, 'data')
    const variables = { APIE_DATA: data, APIE_ANONYMOUS: 'admin' }
    const request = { method: 'POST', target: '/events', body: EVENT, variables }
    const made = await run('sh', ['-c', `umask ${umask}; exec ${EXECUTABLE}`], {
      environment: cgiVariables(request),
      input: EVENT,
    })
    expect(made.out).toMatch(/^Status: 200 /)
    for (const name of ['', ...readdirSync(data, { recursive: true, encoding: 'utf8' })]) {
      expect([name, statSync(join(data, name)).mode & 0o077]).toEqual([name, 0])
    }
    rmSync(parent, { recursive: true })
  })

  it.skipIf(!isRoot)('needs no folder for temporary files that may hold programs', async () => {
    const parent = mkdtempSync('/var/tmp/apie-noexec-')
    const variables = { APIE_DATA: join(parent, 'data'), APIE_ANONYMOUS: 'admin' }
    const request = { method: 'POST', target: '/events', body: EVENT, variables }
    const script = `mount -t tmpfs -o noexec tmpfs /tmp && exec ${EXECUTABLE}`
    const made = await run('unshare', ['-m', 'sh', '-c', script], {
      environment: {
        ...cgiVariables(request),
        PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
        TMPDIR: '/tmp',
      },
      input: EVENT,
    })
    expect(made.out, made.err).toMatch(/^Status: 200 /)
    rmSync(parent, { recursive: true })
  })
})
