/**
 * XML elements as JSON: an element becomes a member, text a string, an attribute a member with `@` in front,
 * elements of the same name a list, and an element with nothing in it `null`. Documents with a DTD are
 * refused, and no entities are known but the five of XML itself and character references.
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import type { JsonText } from '../../kit/json-text.ts'

/** An element: its name, attributes, child elements, and all the text in it. */
export type XmlNode = {
  readonly name: string
  readonly attributes: readonly (readonly [string, string])[]
  readonly children: readonly XmlNode[]
  readonly text: string
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  cdataPropName: '#cdata',
})

/** How much one document may hold. Elements and attributes count as the values and keys that they become. */
export type XmlLimits = {
  readonly depth: number
  readonly values: number
  /** Attributes, and child elements of different names, in one element. */
  readonly keys: number
}

/** @throws XmlError */
export function parseXml(text: string, limits: XmlLimits): XmlNode {
  if (/<!DOCTYPE/i.test(text)) throw new XmlError('It must not have a DTD')
  // The library takes whatever comes, so that what is too much is found before it.
  checkTags(text, limits)
  const source = text.replace(/^\ufeff/, '')
  const checked = XMLValidator.validate(source)
  if (checked !== true) throw new XmlError(`${checked.err.msg} in line ${checked.err.line}`)
  const roots = parseNodes(source).filter((node) => '#text' in node === false)
  const [root] = roots
  if (root === undefined || roots.length > 1) throw new XmlError('It must have one root element')
  return nodeOf(root, limits, limits.depth)
}

/** Equal signs in one tag, for each attribute that it may have: values hold some, too. */
const SIGNS_AN_ATTRIBUTE = 10

/** One look at every character, whatever they make up. @throws XmlError */
function checkTags(text: string, { values, keys }: XmlLimits): void {
  let tags = 0
  let signs = 0
  let isTag = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === LESS) {
      isTag = !text.startsWith('<![CDATA[', at)
      signs = 0
      if (++tags > 2 * values) throw new XmlError(`It must have at most ${values} elements`)
    } else if (code === GREATER) isTag = false
    else if (code === EQUALS && isTag && ++signs > SIGNS_AN_ATTRIBUTE * keys) {
      throw new XmlError(`An element must have at most ${keys} attributes`)
    }
  }
}

const LESS = 0x3c
const EQUALS = 0x3d
const GREATER = 0x3e

export class XmlError extends Error {}

/** What the library makes of a node: one member for its name and children, `:@` for its attributes. */
type ParsedNode = Readonly<Record<string, unknown>>

function parseNodes(source: string): readonly ParsedNode[] {
  try {
    return parser.parse(source) as readonly ParsedNode[]
  } catch (error) {
    throw new XmlError((error as Error).message, { cause: error })
  }
}

function nodeOf(parsed: ParsedNode, limits: XmlLimits, depthLeft: number): XmlNode {
  if (depthLeft === 0) throw new XmlError(`It must be at most ${limits.depth} elements deep`)
  const name = Object.keys(parsed).find((key) => key !== ':@') ?? ''
  const content = (parsed[name] ?? []) as readonly ParsedNode[]
  const attributes = Object.entries((parsed[':@'] ?? {}) as Record<string, string>)
  const children = content
    .filter((child) => !isText(child))
    .map((child) => nodeOf(child, limits, depthLeft - 1))
  const names = new Set(children.map((child) => child.name))
  if (attributes.length + names.size > limits.keys) {
    throw new XmlError(`An element must have at most ${limits.keys} attributes and names in it`)
  }
  return {
    name,
    attributes: attributes.map(([key, value]) => [key, decoded(value)]),
    children,
    text: content.map(textOf).join(''),
  }
}

const isText = (node: ParsedNode): boolean => '#text' in node || '#cdata' in node

function textOf(node: ParsedNode): string {
  if ('#text' in node) return decoded(String(node['#text']))
  if (!('#cdata' in node)) return ''
  const inner = node['#cdata'] as readonly ParsedNode[]
  return inner.map((part) => String(part['#text'] ?? '')).join('')
}

const PREDEFINED: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
}

function decoded(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&([^;&]*);?/g, (whole, name: string) => {
    const known = Object.hasOwn(PREDEFINED, name) ? PREDEFINED[name] : undefined
    const [, decimal, hex] = /^#(?:([0-9]{1,7})|x([0-9a-f]{1,6}))$/i.exec(name) ?? []
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
    const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
    if (whole.endsWith(';') && known !== undefined) return known
    if (whole.endsWith(';') && isCharacter) return String.fromCodePoint(code)
    throw new XmlError(`The entity ${whole} is not known`)
  })
}

/** What stands inside an element, as JSON. */
export function jsonOfXml(node: XmlNode): JsonText {
  const { attributes, children, text } = node
  const isLeaf = children.length === 0
  if (isLeaf && attributes.length === 0) {
    return (text === '' ? 'null' : JSON.stringify(text)) as JsonText
  }
  const members = new Map<string, JsonText[]>()
  for (const [name, value] of attributes)
    members.set(`@${name}`, [JSON.stringify(value) as JsonText])
  if (isLeaf ? text !== '' : text.trim() !== '') {
    members.set('#text', [JSON.stringify(isLeaf ? text : text.trim()) as JsonText])
  }
  for (const child of children) {
    const same = members.get(child.name)
    if (same) same.push(jsonOfXml(child))
    else members.set(child.name, [jsonOfXml(child)])
  }
  const texts = Array.from(members, ([name, values]) => {
    const value = values.length === 1 ? values[0] : `[${values.join(',')}]`
    return `${JSON.stringify(name)}:${value}`
  })
  return `{${texts.join(',')}}` as JsonText
}
