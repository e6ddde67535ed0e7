/**
 * The three streams of the command line. A reader that has gone away (`apie export | head`) ends the
 * program quietly, as it does for other tools.
 */
import process from 'node:process'

export type Terminal = {
  /** Resolves when the reader has taken it, so that long output does not pile up in memory. */
  readonly out: (text: string | Uint8Array) => Promise<void>
  readonly err: (text: string) => Promise<void>
  /** Everything that arrives on standard input. */
  readonly input: () => Promise<string>
  /** True where standard error is a terminal: progress bars may be drawn. */
  readonly isInteractive: boolean
}

/** Exit status of a program whose reader has gone: 128 and the number of SIGPIPE. */
const READER_GONE = 141

export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', leaveQuietly)
  return {
    out: (text) => write(process.stdout, text),
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

function leaveQuietly(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? READER_GONE : 1)
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
