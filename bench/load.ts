/** Loads a server over so many connections, from a process of its own, and tells the rate of answers. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Serving } from './serving.ts'

export type Rate = { readonly perSecond: number; readonly worstMs: number }

const script = fileURLToPath(new URL('load-client.ts', import.meta.url))

/** Appends events for so many seconds, `connections` at a time. */
export async function appendLoad(
  { port, authorization }: Serving,
  connections: number,
  seconds: number,
): Promise<Rate> {
  const words = [String(port), String(connections), String(seconds), authorization]
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...words])
  return JSON.parse(stdout) as Rate
}

const pageScript = fileURLToPath(new URL('page-client.ts', import.meta.url))

/** Asks for the same page for so many seconds, `connections` at a time. */
export async function pageLoad(
  { port, authorization }: Serving,
  path: string,
  accept: string,
  connections: number,
  seconds: number,
): Promise<Rate> {
  const words = [port, connections, seconds, authorization, path, accept].map(String)
  const { stdout } = await promisify(execFile)(process.execPath, [pageScript, ...words])
  return JSON.parse(stdout) as Rate
}
