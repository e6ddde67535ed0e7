/** Help, printed from the table of commands and the table of settings. */
import { SETTINGS } from '../settings.ts'
import type { Command, CommandCall } from './command.ts'
import { COMMON_OPTIONS } from './common-options.ts'
import { unknownCommand } from './usage.ts'
import { optionLabel, usageLine } from './usage-line.ts'

export async function runHelp(call: CommandCall): Promise<number> {
  const [name] = call.words
  if (call.options['markdown']) {
    const { commandLineDocument } = await import('./markdown.ts')
    await call.terminal.out(commandLineDocument(call.commands))
    return 0
  }
  const command = call.commands.find((row) => row.name === name)
  if (name !== undefined && !command) {
    throw unknownCommand(
      name,
      call.commands.map((row) => row.name),
    )
  }
  await call.terminal.out(command ? commandHelp(command) : programHelp(call.commands))
  return 0
}

/** The page of the program: commands, exit codes, settings. */
export function programHelp(commands: readonly Command[]): string {
  const settings = Object.values(SETTINGS).map(({ variable, doc }) => [variable, doc])
  return [
    'apie: an event store in one executable file',
    '',
    'Usage: apie COMMAND [OPTIONS]',
    '',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Every command takes --data DIR. "apie help COMMAND" tells more.',
    'Exit codes: 0 done, 1 something is wrong or failed, 2 called wrongly.',
    '',
    'Settings of the environment (in apie.json by their own names, see docs/command-line.md):',
    ...columns(settings),
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
