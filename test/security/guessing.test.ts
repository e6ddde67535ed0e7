/** Guessing passwords, and finding out which accounts there are, through servers and processes. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { VARIANTS } from '../support/apache-variants.ts'
import { addAccount, basic, EXECUTABLE, run } from '../support/executable.ts'
import { describeServers, type Server } from '../support/servers.ts'
import { errorCode, inParallel } from '../support/use-apache.ts'
import { scaled } from './security-run.ts'

const PREFORK = VARIANTS.filter(({ mpm, suexec }) => mpm === 'prefork' && !suexec)

/** As much as one machine sends within a check; each guess behind a web server is a process. */
const GUESSES = { serve: 10_000, apache: 100 }
/** Failures that are let through before the next one has to wait, and what those under way at once may add. */
const MOST_CHECKED = 100

const ask = (server: Server, name: string, password: string) =>
  server.send('/events?limit=1', { headers: { authorization: basic(name, password) } })

describeServers('somebody who guesses', PREFORK, (server) => {
  it('learns from no answer which accounts there are', async () => {
    const shape = async (name: string) => {
      const { status, headers, text } = await ask(server(), name, 'wrong')
      const { date: _date, ...rest } = headers
      return { status, rest, text }
    }
    const known = await shape('admin')
    expect(known.status).toBe(401)
    for (const name of ['nobody', 'Admin', 'admin ', '', 'x'.repeat(5000), '\u00e9', '__proto__']) {
      expect([name, await shape(name)]).toEqual([name, known])
    }
  })

  it('gets few guesses checked, while the owner of a generated password comes in', async () => {
    const count = scaled(server().path === '' ? GUESSES.serve : GUESSES.apache)
    const counts = new Map<string, number>()
    const guesses = Array.from({ length: count }, (_, n) => n)
    await inParallel(guesses, 32, async (n) => {
      const answer = await ask(server(), n % 2 === 0 ? 'admin' : `guest-${n}`, `guess-${n}`)
      const code = String(errorCode(answer.text))
      counts.set(code, (counts.get(code) ?? 0) + 1)
      if (code === 'too-many-attempts')
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    })
    expect([...counts.keys()].sort()).toEqual(['credentials-wrong', 'too-many-attempts'])
    expect(counts.get('credentials-wrong')).toBeLessThanOrEqual(MOST_CHECKED)
    expect((await server().send('/events?limit=1')).status).toBe(200)
    const attempts = statSync(join(server().dataFolder, 'attempts'))
    expect(attempts.size).toBe(4096 * 32)
  })

  it('makes no files by it', () => {
    expect(readdirSync(server().dataFolder).sort()).toEqual(
      expect.arrayContaining([
        'attempts',
        'content',
        'format',
        'index',
        'locks',
        'log',
        'records',
        'tmp',
      ]),
    )
    expect(readdirSync(join(server().dataFolder, 'tmp'))).toEqual([])
  })
})

describeServers('an account that is removed', PREFORK, (server) => {
  it('is out with the next request, in a process that has just let it in', async () => {
    const owner = statSync(server().dataFolder)
    const user =
      process.getuid?.() === 0 ? { name: 'owner', uid: owner.uid, gid: owner.gid } : undefined
    const password = await addAccount(EXECUTABLE, server().dataFolder, 'leaver', 'reader', user)
    expect((await ask(server(), 'leaver', password)).status).toBe(200)
    const gone = await run(
      EXECUTABLE,
      ['user', 'remove', 'leaver', '--data', server().dataFolder],
      { user },
    )
    expect(gone).toMatchObject({ status: 0 })
    expect((await ask(server(), 'leaver', password)).status).toBe(401)
  })
})
