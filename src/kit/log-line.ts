/**
 * One entry of the program's own log as one line of text: time, level, message, then `name=value`. What a
 * client sent can neither end the line nor colour a terminal, and credentials never stand in it.
 */

export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>

export type LogEntry = {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly atMs: number
  readonly level: LogLevel
  readonly message: string
  readonly facts?: LogFacts
}

/** Longest line in characters, line feed included: what `write(2)` puts into a pipe in one piece. */
export const MAX_LINE = 4096
const MAX_VALUE = 3000

const SECRET_NAME = /authorization|cookie|password|passwd|secret|token/i
const CREDENTIALS = /(Basic|Bearer|Digest)\s+[A-Za-z0-9+/._~-]{4,}={0,2}/gi

/** The line with its line feed. */
export function logLine({ atMs, level, message, facts = {} }: LogEntry): string {
  const words = [new Date(atMs).toISOString(), level, plain(message)]
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) words.push(`${name}=${factText(name, value)}`)
  }
  const line = words.join(' ')
  return line.length < MAX_LINE ? `${line}\n` : `${cut(line, MAX_LINE - 2)}…\n`
}

function factText(name: string, value: string | number | boolean): string {
  if (SECRET_NAME.test(name)) return '[withheld]'
  if (typeof value !== 'string') return String(value)
  const text = plain(value)
  return /^[\w./:@-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`
}

function plain(text: string): string {
  const short = text.length > MAX_VALUE ? `${cut(text, MAX_VALUE)}…` : text
  return short
    .replaceAll(CREDENTIALS, '$1 [withheld]')
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escapeCharacter)
    .toWellFormed()
}

/** Cuts without leaving half a surrogate pair. */
function cut(text: string, length: number): string {
  return text
    .slice(0, length)
    .toWellFormed()
    .replace(/\uFFFD$/, '')
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
