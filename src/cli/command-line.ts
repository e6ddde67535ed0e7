/**
 * One call of the command line: words → command → exit code. A failure is one sentence with its code on
 * standard error, never a stack; `APIE_DEBUG=1` adds the stack for whoever hunts a defect.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { AppError } from '../domain/app-error.ts'
import {
  type Command,
  type CommandOption,
  type CommandServices,
  EXIT,
  type OptionValues,
} from './command.ts'
import { COMMANDS, findCommand } from './commands.ts'
import { COMMON_OPTIONS } from './common-options.ts'
import { commandHelp, programHelp } from './help.ts'
import { placeText } from './place.ts'
import { storeOfFailure } from './store-of-failure.ts'
import type { Terminal } from './terminal.ts'
import { unknownVariables, unknownVariablesText } from './unknown-variables.ts'
import { unknownCommand, unknownOption, usage } from './usage.ts'

export type CommandLine = {
  readonly words: readonly string[]
  readonly terminal: Terminal
  /** Options that are settings decide what is opened, so services are made when they are known. */
  readonly services: (options: OptionsBySetting) => CommandServices
  /** Present where failures are to be shown with their stack; turns it into places in the sources. */
  readonly showStack?: (stack: string) => string
}

export type OptionsBySetting = Readonly<Record<string, string>>

/** Runs one call to its end and returns the exit code. */
export async function runCommandLine(line: CommandLine): Promise<number> {
  let store: string | undefined
  const services: CommandLine['services'] = (options) => {
    const own = line.services(options)
    return {
      ...own,
      openStore: async (mode, engineUrl) => {
        store = engineUrl ?? own.settings().store
        if (isInMemory(store)) await line.terminal.err(GONE_AT_END)
        return own.openStore(mode, engineUrl)
      },
      openApp: async () => {
        store = own.settings().store
        if (isInMemory(store)) await line.terminal.err(GONE_AT_END)
        return own.openApp()
      },
    }
  }
  try {
    return await dispatch({ ...line, services })
  } catch (error) {
    const place = error instanceof AppError ? placeText(error, storeOfFailure(error) ?? store) : ''
    await line.terminal.err(`apie: ${failureText(error, line.showStack)}\n${place}`)
    return error instanceof AppError && isWrongCall(error) ? EXIT.usage : EXIT.failed
  }
}

const isInMemory = (store: string): boolean => store.startsWith('memory:')

/** What a command does to such a store no other command sees. */
const GONE_AT_END =
  'apie: the store "memory:" is empty when a command begins and gone when it ends\n'

async function dispatch({ words, terminal, services }: CommandLine): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined) {
    await terminal.err(programHelp(COMMANDS))
    return EXIT.usage
  }
  if (name === '--help' || name === '-h') return print(terminal, programHelp(COMMANDS))
  const command = findCommand(/^(--version|-v)$/.test(name) ? 'version' : name)
  if (!command) {
    throw unknownCommand(
      name,
      COMMANDS.map((row) => row.name),
    )
  }
  const parsed = parseWords(command, rest)
  const isAsked = command.hasActions === true && parsed.words[0] === 'help'
  if (isAsked || parsed.options['help']) return print(terminal, commandHelp(command))
  requireWordCount(command, parsed.words)
  const lent = services(settingsOf(command, parsed.options))
  if (command.ignoresSettings !== true) {
    const unknown = unknownVariables(lent.environment)
    if (unknown.length > 0) await terminal.err(unknownVariablesText(unknown))
  }
  return command.run({ ...parsed, commands: COMMANDS, terminal, services: lent })
}

async function print(terminal: Terminal, text: string): Promise<number> {
  await terminal.out(text)
  return EXIT.ok
}

/** @throws AppError `usage` for an option that the command does not have or that lacks its value */
function parseWords(
  command: Command,
  words: readonly string[],
): { words: readonly string[]; options: OptionValues } {
  const known = [...command.options, ...COMMON_OPTIONS]
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const { name, value } of known) {
    options[name] = { type: value === undefined ? 'boolean' : 'string' }
  }
  options['help'] = { type: 'boolean', short: 'h' }
  try {
    const args = withNegativeNumbers(words, known)
    const parsed = parseArgs({ args, options, allowPositionals: true, strict: true })
    return { words: parsed.positionals, options: parsed.values as OptionValues }
  } catch (error) {
    throw parseFailure(
      command,
      words,
      known.map(({ name }) => name),
      error,
    )
  }
}

/** `--retries -1` as `--retries=-1`: a value that begins with a dash would otherwise be taken for an option. */
function withNegativeNumbers(
  words: readonly string[],
  known: readonly CommandOption[],
): readonly string[] {
  const takesValue = (word: string | undefined) =>
    known.some(({ name, value }) => value !== undefined && word === `--${name}`)
  return words.flatMap((word, at) => {
    const next = words[at + 1] ?? ''
    if (takesValue(word) && isNegative(next)) return [`${word}=${next}`]
    return takesValue(words[at - 1]) && isNegative(word) ? [] : [word]
  })
}

const isNegative = (word: string): boolean => /^-[.\d]/.test(word)

function parseFailure(
  command: Command,
  words: readonly string[],
  known: readonly string[],
  error: unknown,
): AppError {
  const isUnknown = (error as NodeJS.ErrnoException).code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
  const given = words.find((word) => {
    const name = /^--([^=]+)/.exec(word)?.[1]
    return name === undefined ? /^-[^h-]/.test(word) : !known.includes(name)
  })
  if (isUnknown && given !== undefined) return unknownOption(given, known, command.name)
  const reason = (error as Error).message.split('\n')[0] ?? ''
  return usage(reason.replace(/\.$/, ''), `See "apie help ${command.name}".`)
}

function requireWordCount(command: Command, words: readonly string[]): void {
  const [fewest, most] = command.wordCount
  if (words.length >= fewest && words.length <= most) return
  const problem =
    words.length < fewest
      ? `"apie ${command.name}" needs ${command.words}`
      : `"apie ${command.name}" does not take "${words[most]}"`
  throw usage(problem, `See "apie help ${command.name}".`)
}

function settingsOf(command: Command, values: OptionValues): OptionsBySetting {
  const settings: Record<string, string> = {}
  for (const { name, setting } of [...command.options, ...COMMON_OPTIONS]) {
    const value = values[name]
    if (setting !== undefined && typeof value === 'string') settings[setting] = value
  }
  return settings
}

function isWrongCall(error: AppError): boolean {
  return error.code === 'usage' || error.code === 'bad-setting'
}

function failureText(error: unknown, showStack?: (stack: string) => string): string {
  if (showStack && error instanceof Error) return showStack(error.stack ?? error.message)
  if (error instanceof AppError) return `${error.message} [${error.code}]`
  const reason = error instanceof Error ? error.message : String(error)
  return `unexpected failure: ${reason} [internal]`
}
