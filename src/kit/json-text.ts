/**
 * Reads JSON text without losing anything of it (RFC 8259).
 *
 * `JSON.parse` rounds large numbers, keeps only the last of two equal keys and lets any depth through.
 * What is stored must be what was sent, so this scanner checks the text token by token, drops the white
 * space between the tokens and keeps every token as it was written.
 */
import type { Brand } from './brand.ts'

/** JSON text without white space between its tokens: no raw tab, no raw newline. */
export type JsonText = Brand<string, 'JsonText'>

export type JsonLimits = {
  /** Nesting of arrays and objects. */
  readonly depth: number
  /** Values of any kind in the whole text. */
  readonly values: number
  /** Keys in one object. */
  readonly keys: number
}

/** What is wrong with a JSON text, and where. */
export class JsonError extends Error {
  /** Offset in UTF-16 code units. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(`${message} at character ${offset + 1}`)
    this.name = 'JsonError'
    this.offset = offset
  }
}

/** Nothing is wrong with what was read of it but that it is too much. */
export class JsonLimitError extends JsonError {}

/** The members of the outermost object, each as its own text, or `undefined` where it is no object. */
export type JsonMembers = ReadonlyMap<string, JsonText>

export type ScannedJson = { readonly text: JsonText; readonly members: JsonMembers | undefined }

/** Every character from the space on but the quote and the backslash. */
const plainCharacters = /[ !#-[\]-\uffff]*/y
const escapeSequence = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const space = /[ \t\n\r]*/y

/**
 * Checks `source` and returns its minified text, with the members of the outermost object beside it.
 * @throws JsonError on anything RFC 8259 forbids, on equal keys in one object, on lone surrogates and
 * beyond `limits`
 */
export function scanJson(source: string, limits: JsonLimits): ScannedJson {
  return roundTrip(source, limits) ?? new Scanner(source, limits).document()
}

/**
 * The quick way for text that is minified already: what `JSON.parse` and `JSON.stringify` give back
 * unchanged has no equal keys, no rounded number and no white space. Twenty times faster than the
 * scanner; `undefined` means that the scanner has to look.
 */
function roundTrip(source: string, limits: JsonLimits): ScannedJson | undefined {
  if (source.includes('\\u') || !source.isWellFormed()) return undefined
  try {
    const value: unknown = JSON.parse(source)
    if (JSON.stringify(value) !== source) return undefined
    if (countValues(value, 1, limits) > limits.values) return undefined
    return { text: source as JsonText, members: membersOf(value) }
  } catch {
    // Whatever is wrong with it, the scanner says it with the place.
    return undefined
  }
}

function membersOf(value: unknown): JsonMembers | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  return new Map(
    Object.entries(value).map(([key, member]) => [key, JSON.stringify(member) as JsonText]),
  )
}

function countValues(value: unknown, depth: number, limits: JsonLimits): number {
  if (value === null || typeof value !== 'object') return 1
  if (depth > limits.depth) throw new JsonError('Nested too deep', 0)
  const members = Array.isArray(value) ? value : Object.values(value)
  if (!Array.isArray(value) && members.length > limits.keys) throw new JsonError('Too many keys', 0)
  let count = 1
  for (const member of members) count += countValues(member, depth + 1, limits)
  return count
}

class Scanner {
  private at = 0
  private values = 0
  private readonly parts: string[] = []
  private readonly source: string
  private readonly limits: JsonLimits

  constructor(source: string, limits: JsonLimits) {
    this.source = source
    this.limits = limits
  }

  document(): ScannedJson {
    if (!this.source.isWellFormed()) throw new JsonError('Lone surrogate', 0)
    this.skipSpace()
    const members = this.source[this.at] === '{' ? new Map<string, JsonText>() : undefined
    this.value(1, members)
    this.skipSpace()
    if (this.at < this.source.length) throw new JsonError('Text after the JSON value', this.at)
    return { text: this.parts.join('') as JsonText, members }
  }

  private value(depth: number, members?: Map<string, JsonText>): void {
    if (++this.values > this.limits.values) {
      throw new JsonLimitError(`More than ${this.limits.values} values`, this.at)
    }
    const first = this.source[this.at]
    if (first === '{') this.object(depth, members)
    else if (first === '[') this.array(depth)
    else if (first === '"') this.string()
    else if (first === 't') this.word('true')
    else if (first === 'f') this.word('false')
    else if (first === 'n') this.word('null')
    else this.take(number, 'Expected a JSON value')
  }

  private object(depth: number, members: Map<string, JsonText> | undefined): void {
    this.open(depth)
    const keys = new Set<string>()
    this.skipSpace()
    while (this.source[this.at] !== '}') {
      if (keys.size > 0) this.separator(',')
      if (this.source[this.at] !== '"') throw new JsonError('Expected a key in quotes', this.at)
      const key = this.key(keys)
      this.skipSpace()
      this.separator(':')
      const first = this.parts.length
      this.value(depth + 1)
      members?.set(key, this.parts.slice(first).join('') as JsonText)
      this.skipSpace()
    }
    this.close('}')
  }

  private array(depth: number): void {
    this.open(depth)
    this.skipSpace()
    let isFirst = true
    while (this.source[this.at] !== ']') {
      if (!isFirst) this.separator(',')
      isFirst = false
      this.value(depth + 1)
      this.skipSpace()
    }
    this.close(']')
  }

  private key(keys: Set<string>): string {
    const start = this.at
    const token = this.string()
    const key = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1)
    if (keys.has(key)) throw new JsonError(`Key ${JSON.stringify(key)} stands twice`, start)
    if (keys.size >= this.limits.keys) {
      throw new JsonLimitError(`More than ${this.limits.keys} keys in one object`, start)
    }
    keys.add(key)
    return key
  }

  private string(): string {
    const start = this.at
    let hasCodeEscape = false
    this.at++
    this.advance(plainCharacters)
    while (this.source[this.at] === '\\') {
      if (this.advance(escapeSequence) === 0)
        throw new JsonError('Invalid escape in a string', this.at)
      hasCodeEscape ||= this.source[this.at - 5] === 'u'
      this.advance(plainCharacters)
    }
    if (this.source[this.at] !== '"') throw new JsonError('Unfinished or invalid string', start)
    this.at++
    const token = this.source.slice(start, this.at)
    if (hasCodeEscape && !(JSON.parse(token) as string).isWellFormed()) {
      throw new JsonError('Lone surrogate', start)
    }
    this.parts.push(token)
    return token
  }

  private open(depth: number): void {
    if (depth > this.limits.depth) {
      throw new JsonLimitError(`Nested deeper than ${this.limits.depth}`, this.at)
    }
    this.parts.push(this.source[this.at] as string)
    this.at++
  }

  private close(mark: string): void {
    this.parts.push(mark)
    this.at++
  }

  private separator(mark: string): void {
    if (this.source[this.at] !== mark) throw new JsonError(`Expected "${mark}"`, this.at)
    this.parts.push(mark)
    this.at++
    this.skipSpace()
  }

  private word(word: string): void {
    if (!this.source.startsWith(word, this.at)) {
      throw new JsonError('Expected a JSON value', this.at)
    }
    this.parts.push(word)
    this.at += word.length
  }

  private take(pattern: RegExp, problem: string): void {
    const start = this.at
    if (this.advance(pattern) === 0) throw new JsonError(problem, start)
    this.parts.push(this.source.slice(start, this.at))
  }

  private skipSpace(): void {
    this.advance(space)
  }

  /** Moves over what `pattern` matches here and returns how many characters that were. */
  private advance(pattern: RegExp): number {
    const start = this.at
    pattern.lastIndex = start
    if (pattern.test(this.source)) this.at = pattern.lastIndex
    return this.at - start
  }
}
