import type { CommandCall } from './command.ts'

export async function runExport(_call: CommandCall): Promise<number> {
  return 1
}
