import type { CommandCall } from './command.ts'

export async function runImport(_call: CommandCall): Promise<number> {
  return 1
}
