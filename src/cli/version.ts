/** `apie version`: which program this is. The build puts version and commit into the bundle. */
import type { CommandCall } from './command.ts'

declare const APIE_VERSION: string | undefined
declare const APIE_COMMIT: string | undefined

export type Version = { readonly version: string; readonly commit: string; readonly node: string }

/** Sources that run as they are know neither version nor commit and say `development`. */
export function programVersion(): Version {
  return {
    version: typeof APIE_VERSION === 'string' ? APIE_VERSION : 'development',
    commit: typeof APIE_COMMIT === 'string' ? APIE_COMMIT : 'unknown',
    node: process.versions.node,
  }
}

export async function runVersion(call: CommandCall): Promise<number> {
  const about = programVersion()
  await call.terminal.out(
    call.options['json']
      ? `${JSON.stringify(about)}\n`
      : `apie ${about.version} (commit ${about.commit}, Node ${about.node})\n`,
  )
  return 0
}
