/** The request corpus through every gateway: what it asks for, and the same bytes as from the app itself. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSettings } from '../../src/config.ts'
import { parseAccountName } from '../../src/domain/account.ts'
import { createAccountRecords } from '../../src/domain/account-records.ts'
import { sha256Hex } from '../../src/kit/sha256.ts'
import { openCommandStore } from '../../src/wire.ts'
import { CORPUS, type CorpusAnswer, type CorpusCase, type Send } from './corpus.ts'
import { type Gateway, gateways } from './gateways.ts'

const root = mkdtempSync(join(tmpdir(), 'apie-gateways-'))
const empty = join(root, 'empty')
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** The password counts as a generated one: a chosen one would cost each request a tenth of a second. */
beforeAll(async () => {
  const options = { data: empty, store: `file:${empty}` }
  const store = await openCommandStore(readSettings({ options }), 'create')
  await createAccountRecords(store.records).addFirstAdmin({
    name: parseAccountName('a@b.c'),
    role: 'admin',
    password: { kind: 'generated', sha256: sha256Hex('pw') },
    info: '',
    createdAtMs: 0,
  })
  await store.close()
})

const [reference, ...others] = gateways

describe.each(others)('through $name', (gateway) => {
  it.concurrent.each(CORPUS)('$name', async (testCase) => {
    if (!reference) throw new Error('there is no gateway')
    const answers = await answersOf(gateway, testCase)
    expect(answers).toEqual(await answersOf(reference, testCase))
  })
})

let count = 0

async function answersOf(gateway: Gateway, testCase: CorpusCase): Promise<string[]> {
  const dataFolder = join(root, String(++count))
  execFileSync('cp', ['-a', empty, dataFolder])
  const { send, close } = await gateway.open(dataFolder)
  const answers: CorpusAnswer[] = []
  const sent: Promise<CorpusAnswer>[] = []
  let running = 0
  let isParallel = false
  const listening: Send = async (request) => {
    isParallel ||= running++ > 0
    const coming = send(request).finally(() => running--)
    sent.push(coming)
    const answer = await coming
    const isAmbiguous = answer.status === 200 && 'location' in answer.headers
    expect(isAmbiguous, 'Apache makes a redirect of it').toBe(false)
    answers.push(answer)
    return answer
  }
  try {
    await testCase.run(listening)
  } finally {
    // Where one of several failed the others still write, and what they run into would hide why.
    await Promise.allSettled(sent)
    await close()
    rmSync(dataFolder, { recursive: true, force: true })
  }
  // Which of several requests at once comes first is chance, and so is what each is answered.
  return isParallel ? answers.map(({ status }) => `${status}`).sort() : answers.map(comparable)
}

/** What the connection needs and the app does not know of. */
const OF_CONNECTION = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding'])

/** An answer as text, without what differs from run to run: a time may be shorter than another. */
function comparable({ status, headers, body }: CorpusAnswer): string {
  const text = body.toString('latin1')
  const lines = Object.entries(headers)
    .filter(([name]) => !OF_CONNECTION.has(name))
    .filter(([name]) => name !== 'content-length' || !(TIME.test(text) || VERIFIED.test(text)))
    .map(([name, value]) => `${name}: ${value}`)
  return [status, ...lines.sort(), '', text]
    .join('\n')
    .replace(VERIFIED, '$1$2')
    .replace(/\b[0-9a-f]{63,64}\b/gi, 'HASH')
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'UUID')
    .replace(new RegExp(TIME, 'g'), 'TIME')
}

/** A verified log; where it lies in files, those are counted too. */
const VERIFIED =
  /(\{"events":\d+,)(?:"segments":\d+,"voidBytes":\d+,"indexed":\d+,)?("status":"ok")/

const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,7})?Z?/
