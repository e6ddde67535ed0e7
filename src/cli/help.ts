/** Help, printed from the table of commands and the table of settings. */
import type { Command, CommandCall } from './command.ts'
import { COMMON_OPTIONS } from './common-options.ts'
import { settingMeanings } from './setting-meaning.ts'
import { printable, unknownCommand, usage } from './usage.ts'
import { optionLabel, usageLine } from './usage-line.ts'

/** Word that asks for the list of settings, where others ask for a command. */
const SETTINGS_PAGE = 'settings'

export async function runHelp(call: CommandCall): Promise<number> {
  const [name] = call.words
  refuseFurtherWords(call)
  if (call.options['markdown']) {
    const { commandLineDocument } = await import('./markdown.ts')
    await call.terminal.out(commandLineDocument(call.commands))
    return 0
  }
  if (name === SETTINGS_PAGE) {
    await call.terminal.out(settingsHelp())
    return 0
  }
  const command = call.commands.find((row) => row.name === name)
  if (name !== undefined && !command) {
    throw unknownCommand(name, [...call.commands.map((row) => row.name), SETTINGS_PAGE])
  }
  await call.terminal.out(command ? commandHelp(command) : programHelp(call.commands))
  return 0
}

/** `help user add` asks for the page of `user`; other words behind a page are a mistake. */
function refuseFurtherWords({ commands, options, words }: CommandCall): void {
  const command = commands.find(({ name }) => name === words[0])
  const most = options['markdown'] ? 0 : 1 + (command?.hasActions ? command.wordCount[1] : 0)
  if (words.length <= most) return
  const name = options['markdown'] ? 'help --markdown' : 'help'
  throw usage(`"apie ${name}" does not take "${printable(words[most] ?? '')}"`)
}

/** The page of the program: commands and exit codes. */
export function programHelp(commands: readonly Command[]): string {
  return [
    'apie: an event store in one executable file',
    '',
    'Usage: apie COMMAND [OPTIONS]',
    '',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Every command takes --data DIR. "apie help COMMAND" tells more, "apie help settings" lists',
    'what the environment and the settings file can say.',
    'Exit codes: 0 done, 1 something is wrong or failed, 2 called wrongly.',
    '',
  ].join('\n')
}

function settingsHelp(): string {
  const rows = settingMeanings().map(({ name, variable, fallback, text }) => {
    const facts = fallback === '' ? name : `${name}, default ${fallback}`
    return [`  ${variable} (${facts})`, `      ${text}`]
  })
  return [
    'Each setting by its variable of the environment, and in brackets by its name in apie.json',
    'beside the executable. An option of the command line wins over the environment, the',
    'environment over the file.',
    '',
    ...rows.flat(),
    '',
  ].join('\n')
}

/** The page of one command. */
export function commandHelp(command: Command): string {
  const options = [...command.options, ...COMMON_OPTIONS]
  return [
    `Usage: ${usageLine(command)}`,
    '',
    `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`,
    ...command.details,
    '',
    ...columns(options.map((option) => [optionLabel(option), option.doc])),
    '',
    `Exit codes: ${exitCodes(command)}.`,
    '',
  ].join('\n')
}

export function exitCodes({ failure }: Command): string {
  return ['0 done', ...(failure === undefined ? [] : [`1 ${failure}`]), '2 called wrongly'].join(
    '; ',
  )
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([left = '']) => left.length))
  return rows.map(([left = '', right = '']) => `  ${left.padEnd(width)}  ${right}`)
}
