/**
 * The request corpus through the executable under Apache: the same answers as from the app itself. All of it
 * runs under the first kind of Apache that is there, what `meetsServer` under every other one, too.
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, it } from 'vitest'
import {
  CORPUS,
  type CorpusAnswer,
  type CorpusCase,
  type CorpusRequest,
} from '../gateway/corpus.ts'
import { type Apache, startApache } from '../support/apache.ts'
import { describeVariants, missingFor, VARIANTS, type Variant } from '../support/apache-variants.ts'
import { run } from '../support/executable.ts'
import { send } from '../support/http-client.ts'
import { expectClean } from '../support/use-apache.ts'

/** Servers that cases run on at the same time, one case each. */
const LANES = 2

/** Keeps a data folder with nothing but the account of the corpus, to begin every case with. */
async function prepare(apache: Apache): Promise<void> {
  const parameters = ['user', 'add', 'a@b.c', '--role', 'admin', '--password-stdin']
  const made = await run(apache.program, [...parameters, '--data', apache.dataFolder], {
    user: apache.user,
    input: 'pw\n',
  })
  if (made.status !== 0) throw new Error(made.err)
  execFileSync('cp', ['-a', apache.dataFolder, `${apache.dataFolder}.empty`])
}

function reset(apache: Apache): void {
  rmSync(apache.dataFolder, { recursive: true, force: true })
  execFileSync('cp', ['-a', `${apache.dataFolder}.empty`, apache.dataFolder])
}

const first = VARIANTS.find((variant) => missingFor(variant) === undefined)

const casesFor = (variant: Variant): readonly CorpusCase[] =>
  variant === first ? CORPUS : CORPUS.filter(({ meetsServer }) => meetsServer)

const sendTo =
  (apache: Apache) =>
  async ({ path, query, ...request }: CorpusRequest): Promise<CorpusAnswer> => {
    const target = path + (query === undefined ? '' : `?${query}`)
    const { status, reason, headers, bytes } = await send(apache.url + target, request)
    return { status, reason, headers: headers as Record<string, string>, body: bytes }
  }

describeVariants('the request corpus', (variant) => {
  const all: Apache[] = []
  const free: Apache[] = []
  const waiting: ((apache: Apache) => void)[] = []

  beforeAll(async () => {
    for (let lane = 0; lane < LANES; lane++) {
      const apache = await startApache({ variant, shape: 'script-alias', account: false })
      all.push(apache)
      await prepare(apache)
      free.push(apache)
    }
  })
  afterAll(() => Promise.all(all.map((apache) => apache.stop())))

  const take = (): Apache | Promise<Apache> =>
    free.pop() ?? new Promise<Apache>((resolve) => waiting.push(resolve))
  const giveBack = (apache: Apache): void => {
    const next = waiting.shift()
    if (next) next(apache)
    else free.push(apache)
  }

  it.concurrent.each(casesFor(variant))('$name', async (testCase) => {
    const apache = await take()
    try {
      reset(apache)
      await testCase.run(sendTo(apache))
      await expectClean(apache)
    } finally {
      giveBack(apache)
    }
  })
})
