/** Types of what tests use of the steps of the build, which are JavaScript. */
declare module '*/executable/index-thread.mjs' {
  import type { Plugin } from 'esbuild'

  export function indexThread(plugins?: Plugin[]): Promise<Record<string, string>>
}
