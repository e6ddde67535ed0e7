/**
 * The three streams of the command line. A reader that has gone away (`apie export | head`) ends the
 * program quietly, as it does for other tools. A disk that is full behind standard output is a failure of the
 * command; where standard error cannot be written there is nobody to tell.
 */
import fs from 'node:fs'
import process from 'node:process'
import { AppError } from '../domain/app-error.ts'

export type Terminal = {
  /**
   * Resolves when the reader has taken it, so that long output does not pile up in memory.
   * @throws AppError `output-failed`
   */
  readonly out: (text: string | Uint8Array) => Promise<void>
  readonly err: (text: string) => Promise<void>
  /** Everything that arrives on standard input. */
  readonly input: () => Promise<string>
  /** True where standard error is a terminal: progress bars may be drawn. */
  readonly isInteractive: boolean
}

const OUTPUT = 1

/** Exit status of a program whose reader has gone: 128 and the number of SIGPIPE. */
const READER_GONE = 141

export function processTerminal(): Terminal {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') leaveQuietly(error)
  })
  process.stderr.on('error', leaveQuietly)
  const isFile = fs.fstatSync(OUTPUT).isFile()
  const print = isFile ? writeFile : (text: string | Uint8Array) => write(process.stdout, text)
  return {
    out: (text) => print(text).catch(outputFailed),
    err: (text) => write(process.stderr, text),
    input: readInput,
    isInteractive: process.stderr.isTTY === true,
  }
}

function write(stream: NodeJS.WriteStream, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

/**
 * A file takes as much as there is room for. The stream of Node counts that as all: the end of the last text would
 * be missing without a word.
 */
async function writeFile(text: string | Uint8Array): Promise<void> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(OUTPUT, bytes, done)
}

function outputFailed(error: NodeJS.ErrnoException): never {
  const reason = error.code ?? error.message
  throw new AppError(
    'output-failed',
    `Standard output cannot be written (${reason})`,
    { reason },
    error,
  )
}

function leaveQuietly(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? READER_GONE : 1)
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
