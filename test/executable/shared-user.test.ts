/**
 * Without suEXEC every program runs as the web server's user. Somebody with FTP alone, who cannot read what that
 * user makes, still gets a store that nobody else on the machine can open.
 */
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { describeVariants, isRoot, VARIANTS } from '../support/apache-variants.ts'
import { basic, run } from '../support/executable.ts'
import { errorCode, useApache } from '../support/use-apache.ts'

/** The owner of the files, as whom no program runs. */
const OWNER = { name: 'owner', uid: 54_321, gid: 54_321 }
const TOKEN = 'k2Jq8vNn3xT0mRz7bYc5Wd'

describeVariants(
  'a data folder that only the web server can read',
  (variant) => {
    const apache = useApache({ variant, shape: 'document-root', account: false })
    const settingsFile = () => join(dirname(apache().program), 'apie.json')
    const upload = (settings: object) => writeFileSync(settingsFile(), JSON.stringify(settings))
    /** A folder as the owner makes it over FTP. */
    const ownFolder = (path: string, mode: number) => {
      mkdirSync(path)
      chmodSync(path, mode)
      chownSync(path, OWNER.uid, OWNER.gid)
    }

    it.runIf(isRoot)("is set up with a token of the owner's own", async () => {
      const outer = join(dirname(apache().dataFolder), 'apie')
      const data = join(outer, 'data')
      ownFolder(outer, 0o755)
      upload({ data, setupToken: TOKEN })
      const closed = await apache().send('/events')
      expect([closed.status, errorCode(closed.text)]).toEqual([503, 'storage-read-only'])
      expect(closed.text).toContain('docs/hosting.md')
      expect(closed.text).not.toContain(outer)

      chmodSync(outer, 0o777)
      expect(errorCode((await apache().send('/events')).text)).toBe('setup-required')
      chmodSync(outer, 0o711)
      expect(statSync(data).mode & 0o777).toBe(0o700)
      expect(statSync(data).uid).toBe(apache().user?.uid)
      const body = JSON.stringify({ token: TOKEN, name: 'first', password: 'correct horse' })
      const headers = { 'content-type': 'application/json' }
      const made = await apache().send('/setup', { method: 'POST', headers, body })
      expect(made.status, made.text).toBe(200)

      upload({ data })
      const authorization = basic('first', 'correct horse')
      expect((await apache().send('/events', { headers: { authorization } })).status).toBe(200)
      const verify = await run(apache().program, ['verify', '--data', data], { user: OWNER })
      expect(verify.err).toContain(`data folder: ${data} (of user`)
      expect(verify.err).toContain(`this runs as user ${OWNER.uid}`)
    })

    it.runIf(isRoot)('takes a token file that the owner uploads into it', async () => {
      const data = join(dirname(apache().dataFolder), 'open')
      ownFolder(data, 0o777)
      writeFileSync(join(data, 'setup-token'), `${TOKEN}\n`)
      upload({ data, allowUnsafeData: true })
      const body = JSON.stringify({ token: TOKEN, name: 'first', password: 'correct horse' })
      const headers = { 'content-type': 'application/json' }
      const made = await apache().send('/setup', { method: 'POST', headers, body })
      expect(made.status, made.text).toBe(200)
      upload({ data: apache().dataFolder })
      expect(readFileSync(settingsFile(), 'utf8')).not.toContain('setupToken')
      expect(errorCode((await apache().send('/events')).text)).toBe('setup-required')
    })
  },
  VARIANTS.filter(({ suexec }) => !suexec),
)
