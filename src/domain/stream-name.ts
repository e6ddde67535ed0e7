import type { Brand } from '../kit/brand.ts'
import { AppError } from './app-error.ts'
import { nameProblem } from './name.ts'

/** 1 to 255 characters, no `/`, no control characters, NFC; case matters. */
export type StreamName = Brand<string, 'StreamName'>

/** Where an append through the Apie API goes when it names no stream. */
export const DEFAULT_STREAM = 'default' as StreamName

/** @throws AppError `bad-name` where `text` is no name of a stream */
export function parseStreamName(text: string): StreamName {
  const problem = nameProblem(text)
  if (problem) throw new AppError('bad-name', `stream ${problem}`, { field: 'stream' })
  return text as StreamName
}

/**
 * The name of a stream that anybody may write to. Names with `$` in front are views of the log and metadata,
 * which have ways of their own to be written.
 * @throws AppError `bad-name`
 */
export function parseWritableStream(text: string): StreamName {
  const stream = parseStreamName(text)
  if (!stream.startsWith('$')) return stream
  throw new AppError('bad-name', 'stream must not begin with "$"', { field: 'stream' })
}

/** Like `parseStreamName` for looking one up: what cannot be a name is no stream's. */
export function toStreamName(text: string): StreamName | undefined {
  return nameProblem(text) === undefined ? (text as StreamName) : undefined
}
