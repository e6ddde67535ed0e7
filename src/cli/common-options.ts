/** Options that every command takes. */
import type { CommandOption } from './command.ts'

export const COMMON_OPTIONS: readonly CommandOption[] = [
  { name: 'data', value: 'DIR', doc: 'data folder to work on', setting: 'data' },
  { name: 'help', doc: 'print the help of the command' },
]
