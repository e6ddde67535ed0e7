/** Verifying over HTTP what was damaged on disk. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { append, json, signedIn } from '../../gateway/corpus-request.ts'
import { openTestStore } from '../../support/file-store.ts'
import { openTestApp } from '../../support/test-app.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function openFile(root: string) {
  const store = await openTestStore(root)
  const { send } = await openTestApp({ store })
  return { store, send: signedIn(send) }
}

function newRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), 'apie-damage-'))
  folders.push(folder)
  return join(folder, 'data')
}

describe('verifying', () => {
  it('reports the event one byte of which was flipped', async () => {
    const root = newRoot()
    const first = await openFile(root)
    const [, event] = await append(first.send, 3, { stream: 'flipped' })
    await first.store.close()
    const path = join(root, 'log', '00000001.log')
    const bytes = readFileSync(path)
    const at = bytes.indexOf('{"n":2}') + 5
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(path, bytes)

    const second = await openFile(root)
    const answer = await second.send({ method: 'POST', path: '/events/verify' })
    await second.store.close()
    expect(answer.status).toBe(200)
    const report = json(answer) as { status: string; findings: Record<string, unknown>[] }
    expect(report.status).toBe('damaged')
    expect(
      report.findings.some(({ position, hash }) => position === 1 || hash === event?.hash),
      answer.body.toString(),
    ).toBe(true)
  })

  it('a log that is gone is no health', async () => {
    const root = newRoot()
    const first = await openFile(root)
    await append(first.send, 1, { stream: 'gone' })
    const paths = ['/health', '/api/v1/health']
    for (const path of paths) expect((await first.send({ method: 'GET', path })).status).toBe(200)
    await first.store.close()
    rmSync(join(root, 'log', '00000001.log'))

    const second = await openFile(root)
    for (const path of paths) {
      const { status, headers, body } = await second.send({ method: 'GET', path })
      expect([path, status]).toEqual([path, 500])
      expect(`${headers['x-apie-code']} ${body}`).toContain('log-damaged')
    }
    await second.store.close()
  })

  it('reports the content one byte of which was flipped', async () => {
    const root = newRoot()
    const { store, send } = await openFile(root)
    const upload = await send({ method: 'PUT', path: '/storage/a.txt', body: 'hello' })
    const { hash } = json(upload) as { hash: string }
    const names = readdirSync(join(root, 'content'), { recursive: true }) as string[]
    const blob = names.find((name) => name.endsWith('.blob')) ?? ''
    writeFileSync(join(root, 'content', blob), 'hellp')
    const answer = await send({ method: 'POST', path: '/storage/verify' })
    await store.close()
    expect([answer.status, json(answer)]).toMatchObject([
      200,
      { status: 'damaged', findings: [{ hash }] },
    ])
  })
})
