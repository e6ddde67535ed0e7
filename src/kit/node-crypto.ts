let loaded: typeof import('node:crypto') | undefined

/**
 * `node:crypto`, loaded where it is first used and not with the program: loading takes a process 4 ms, and
 * most requests that read need none of it.
 */
export function nodeCrypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto')
  return loaded
}
