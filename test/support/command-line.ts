/** A terminal that keeps what was written, and services that say what they were asked for. */

import type { CommandServices } from '../../src/cli/command.ts'
import { runCommandLine } from '../../src/cli/command-line.ts'
import { readSettings, type SettingSources } from '../../src/config.ts'

export type Ran = { readonly code: number; readonly out: string; readonly err: string }

/** Runs the command line in this process, on `services` where a test needs some. */
export async function runWords(
  words: readonly string[],
  services: Partial<CommandServices> = {},
  input = '',
  given: {
    readonly environment?: SettingSources['environment']
    /** Told what is written, as it is written. */
    readonly tell?: (stream: 'out' | 'err', text: string) => void
  } = {},
): Promise<Ran> {
  let out = ''
  let err = ''
  const code = await runCommandLine({
    words,
    terminal: {
      out: async (text) => {
        out += Buffer.from(text).toString('utf8')
        given.tell?.('out', Buffer.from(text).toString('utf8'))
      },
      err: async (text) => {
        err += text
        given.tell?.('err', text)
      },
      input: async () => input,
      isInteractive: false,
    },
    services: (options) => ({
      programPath: '/nowhere/apie',
      environment: given.environment ?? {},
      settings: () => readSettings({ options, environment: given.environment ?? {} }),
      workAsOwner: async () => undefined,
      isForeignFolder: async () => false,
      migrateStore: async () => undefined,
      openStore: async () => {
        throw new Error('this test has no store')
      },
      untilStopped: () => new AbortController().signal,
      openApp: async () => {
        throw new Error('this test has no app')
      },
      checkOriginal: async () => undefined,
      importOriginal: async () => {
        throw new Error('this test imports nothing')
      },
      exportOriginal: async () => {
        throw new Error('this test exports nothing')
      },
      ...services,
    }),
  })
  return { code, out, err }
}
