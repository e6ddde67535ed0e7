/** Writes JSON text with line breaks, two spaces a level; tokens stay as they were written. */
import { stringEnd } from './json-members.ts'

const token = /[^"{}[\],: \t\n\r]+/y

/**
 * @param text JSON that is known to be right, with or without white space
 * @param level how deep the value stands; its own first line is not indented
 */
export function indentedJson(text: string, level = 0): string {
  let depth = level
  let out = ''
  let at = 0
  const newLine = () => `\n${'  '.repeat(depth)}`
  while (at < text.length) {
    const char = text[at] as string
    switch (char) {
      case '{':
      case '[': {
        const next = skipSpace(text, at + 1)
        if (text[next] === '}' || text[next] === ']') {
          out += char + text[next]
          at = next + 1
          continue
        }
        depth++
        out += char + newLine()
        break
      }
      case '}':
      case ']':
        depth--
        out += newLine() + char
        break
      case ',':
        out += `,${newLine()}`
        break
      case ':':
        out += ': '
        break
      case ' ':
      case '\t':
      case '\n':
      case '\r':
        break
      default: {
        const end = char === '"' ? stringEnd(text, at) : tokenEnd(text, at)
        out += text.slice(at, end)
        at = end
        continue
      }
    }
    at++
  }
  return out
}

function tokenEnd(text: string, at: number): number {
  token.lastIndex = at
  return token.test(text) ? token.lastIndex : at + 1
}

function skipSpace(text: string, at: number): number {
  let next = at
  while (text.charCodeAt(next) <= 0x20) next++
  return next
}
