/** `apie version`: which program this is. */
import { programVersion } from '../program-version.ts'
import type { CommandCall } from './command.ts'

export async function runVersion(call: CommandCall): Promise<number> {
  const about = programVersion()
  await call.terminal.out(
    call.options['json']
      ? `${JSON.stringify(about)}\n`
      : `apie ${about.version} (commit ${about.commit}, Node ${about.node})\n`,
  )
  return 0
}
