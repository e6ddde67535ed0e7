/** How a command and its options are written, in help and in the documents. */
import type { Command, CommandOption } from './command.ts'

export function usageLine({ name, words }: Command): string {
  return `apie ${name}${words === '' ? '' : ` ${words}`} [OPTIONS]`
}

export function optionLabel({ name, value }: CommandOption): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}
