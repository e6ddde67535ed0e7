/** What a text inside a batch stands for, and what is wrong with a batch. */
import { AppError } from '../../domain/app-error.ts'
import type { EventBody } from '../../domain/event.ts'
import { type JsonText, scanJson } from '../../kit/json-text.ts'

export function invalidBatch(problem: string): AppError {
  return new AppError('bad-field', `Write request body invalid. ${problem}`)
}

export const isNested = (text: string): boolean => text.startsWith('{') || text.startsWith('[')

/** Of an event that says nothing. */
export const NO_BYTES: EventBody = {
  kind: 'bytes',
  mediaType: 'application/octet-stream',
  bytes: new Uint8Array(0),
}

/** A text as a body: the JSON in it, or else its own bytes. */
export function textBody(text: string): EventBody {
  const json = nestedJson(text)
  if (json !== undefined) return { kind: 'json', text: json }
  return { kind: 'bytes', mediaType: 'text/plain; charset=utf-8', bytes: Buffer.from(text) }
}

/** The object or list that a text holds, if it holds one. */
export function nestedJson(text: string): JsonText | undefined {
  if (!isNested(text.trimStart())) return undefined
  try {
    return scanJson(text, { depth: 64, values: 1_000_000, keys: 100_000 }).text
  } catch {
    return undefined
  }
}
