/**
 * Starts a program for one CGI request with the same kinds of descriptors that Apache gives: `mod_cgi` two
 * pipes, `mod_cgid` one connected UNIX socket as both input and output. The test holds the other ends.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Program } from './bundled-program.ts'

export const TRANSPORTS = ['pipe', 'socket'] as const
export type Transport = (typeof TRANSPORTS)[number]

export type CgiProcess = {
  readonly pid: number
  /** Takes the body; ended, the program sees the end of its input. */
  readonly input: net.Socket
  /** Gives the answer; the same as `input` for a socket. */
  readonly output: net.Socket
  readonly ended: Promise<CgiEnd>
}

export type CgiEnd = {
  readonly status: number | null
  readonly signal: string | null
  /** What it wrote to standard error. */
  readonly err: string
}

export type CgiStart = {
  readonly program: Program
  readonly variables: Readonly<Record<string, string>>
  readonly transport: Transport
  /** Further words, as a web server makes them of a query. */
  readonly words?: readonly string[]
}

export async function startCgi(start: CgiStart): Promise<CgiProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'apie-cgi-'))
  const { input, output, child } =
    start.transport === 'pipe' ? overPipes(folder, start) : await overSocket(folder, start)
  rmSync(folder, { recursive: true })
  // A program that is done with its input may close it, and one that ends resets what was not read.
  input.on('error', () => undefined)
  output.on('error', () => undefined)
  return { pid: child.pid ?? 0, input, output, ended: endOf(child) }
}

/** Named pipes: Node itself gives its children sockets for pipes. */
function overPipes(folder: string, start: CgiStart) {
  const paths = [join(folder, 'in'), join(folder, 'out')]
  execFileSync('mkfifo', paths)
  const [input, output] = paths.map(pipeEnds)
  if (!input || !output) throw new Error('no pipes')
  const child = spawnProgram(start, input.read, output.write)
  closeSync(input.read)
  closeSync(output.write)
  return {
    child,
    input: new net.Socket({ fd: input.write, readable: false, writable: true }),
    output: new net.Socket({ fd: output.read, readable: true, writable: false }),
  }
}

function pipeEnds(path: string): { readonly read: number; readonly write: number } {
  const both = openSync(path, constants.O_RDWR)
  const ends = { read: openSync(path, 'r'), write: openSync(path, 'w') }
  closeSync(both)
  return ends
}

async function overSocket(folder: string, start: CgiStart) {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true })
  const path = join(folder, 's')
  server.listen(path)
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const ours = net.connect({ path, allowHalfOpen: true })
  const [theirs] = (await accepted) as [net.Socket]
  server.close()
  const child = spawnProgram(start, theirs, theirs)
  theirs.destroy()
  return { child, input: ours, output: ours }
}

function spawnProgram(
  { program, variables, words = [] }: CgiStart,
  input: number | net.Socket,
  output: number | net.Socket,
): ChildProcess {
  return spawn(program.command, [...program.words, ...words], {
    env: { ...variables },
    stdio: [input, output, 'pipe'],
  })
}

async function endOf(child: ChildProcess): Promise<CgiEnd> {
  let err = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { status, signal, err }
}

/** Everything that comes until the other side ends. */
export async function readAll(output: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  output.on('data', (chunk: Buffer) => chunks.push(chunk))
  if (!output.readableEnded && !output.destroyed) {
    await new Promise((resolve) => output.once('end', resolve).once('close', resolve))
  }
  return Buffer.concat(chunks)
}

export type CgiAnswer = {
  readonly status: number
  readonly reason: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Strict: `Status` first, every line ended by CR LF, then an empty line. */
export function parseAnswer(bytes: Buffer): CgiAnswer {
  const text = bytes.toString('latin1')
  const [head = ''] = text.split('\r\n\r\n', 1)
  const [first = '', ...lines] = head.split('\r\n')
  const [, code, reason = ''] = /^Status: ([1-5]\d\d) ([\x21-\x7e][\x20-\x7e]*)$/.exec(first) ?? []
  const status = Number(code)
  const headers = lines.map((line) => {
    const [, name, value] = /^([a-z0-9-]+): ([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`Bad header line: ${line}`)
    return [name, value] as const
  })
  if (Number.isNaN(status) || !text.includes('\r\n\r\n')) throw new Error(`No answer: ${text}`)
  const body = bytes.subarray(Buffer.byteLength(head, 'latin1') + 4)
  return { status, reason, headers: Object.fromEntries(headers), body }
}

/** The code of an error in an answer; `undefined` where it is none. */
export function codeOf({ headers, body }: CgiAnswer): unknown {
  const isJson = headers['content-type']?.startsWith('application/json') && body.length > 0
  return isJson ? (JSON.parse(body.toString()) as { code?: unknown }).code : undefined
}
