import type { CommandCall } from '../command.ts'

export async function runDoctor(_call: CommandCall): Promise<number> {
  return 1
}
