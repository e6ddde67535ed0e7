/** Which program this is. The build puts version and commit into the bundle. */

declare const APIE_VERSION: string | undefined
declare const APIE_COMMIT: string | undefined

export type ProgramVersion = {
  readonly version: string
  readonly commit: string
  readonly node: string
}

/** Sources that run as they are know neither version nor commit and say `development`. */
export function programVersion(): ProgramVersion {
  return {
    version: typeof APIE_VERSION === 'string' ? APIE_VERSION : 'development',
    commit: typeof APIE_COMMIT === 'string' ? APIE_COMMIT : 'unknown',
    node: process.versions.node,
  }
}
