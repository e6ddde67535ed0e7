/**
 * The members of a JSON object, each as the text it was written as. For text that is known to be JSON: what
 * we stored ourselves. Text of others is read by `json-text.ts`, which checks it.
 */
import type { JsonText } from './json-text.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Everything that neither opens nor closes anything. */
const dull = /[^"{}[\]]*/y

/** Names (as they were written, without quotes) and texts of the members of an object, in their order. */
export function jsonMembers(text: string): Map<string, JsonText> {
  const members = new Map<string, JsonText>()
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at)
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = valueEnd(text, start)
    members.set(text.slice(at + 1, keyEnd - 1), text.slice(start, end) as JsonText)
    at = skipSpace(text, skipSpace(text, end) + 1)
  }
  return members
}

/** Offset behind the quote that closes the string that opens at `at`. */
export function stringEnd(text: string, at: number): number {
  let quote = text.indexOf('"', at + 1)
  while (quote !== -1 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1)
  return quote === -1 ? text.length : quote + 1
}

function isEscaped(text: string, quote: number): boolean {
  let before = quote - 1
  while (text.charCodeAt(before) === BACKSLASH) before--
  return (quote - before) % 2 === 0
}

function valueEnd(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return stringEnd(text, start)
  if (first === '{' || first === '[') return nestedEnd(text, start)
  let end = start
  while (end < text.length && !/[,}\] \t\n\r]/.test(text[end] as string)) end++
  return end
}

function nestedEnd(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    dull.lastIndex = at
    dull.test(text)
    at = dull.lastIndex
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = stringEnd(text, at)
      continue
    }
    at++
    if (code === 0x7b || code === 0x5b) depth++
    else if (--depth === 0) return at
  }
  return at
}

function skipSpace(text: string, at: number): number {
  let next = at
  while (text.charCodeAt(next) <= 0x20) next++
  return next
}

/** The texts of the elements of a JSON array. */
export function jsonElements(text: string): JsonText[] {
  const elements: JsonText[] = []
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (at < text.length && text[at] !== ']') {
    const end = valueEnd(text, at)
    elements.push(text.slice(at, end) as JsonText)
    at = skipSpace(text, skipSpace(text, end) + 1)
  }
  return elements
}
