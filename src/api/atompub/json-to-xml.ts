/**
 * JSON as XML elements: a member becomes an element, a list an element that comes several times, a member
 * whose name begins with `@` an attribute. The way back is `xml-to-json.ts`.
 *
 * The text is read and not what `JSON.parse` makes of it, which moves names that are numbers to the front and
 * rounds long numbers.
 */
import { jsonElements, jsonMembers } from '../../kit/json-members.ts'
import type { JsonText } from '../../kit/json-text.ts'
import { xmlName } from '../../kit/xml-name.ts'
import type { XmlElement, XmlValue } from './xml-writer.ts'

/** What stands inside the element that holds the value. Items of a list that has no name are called `item`. */
export function xmlOfJson(text: JsonText): XmlValue {
  return xmlValue(text.trim())
}

function xmlValue(text: string): XmlValue {
  if (text.startsWith('[')) return { item: jsonElements(text).map(xmlValue) }
  return text.startsWith('{') ? elementOf(text) : plainText(text)
}

/** Of a value that holds no others: numbers stay as they were written. */
function plainText(text: string): string {
  if (text.startsWith('"')) return JSON.parse(text) as string
  return text === 'null' ? '' : text
}

type Content = XmlElement[string]

function elementOf(text: string): XmlElement {
  const members = new Map<string, Content>()
  for (const [written, value] of jsonMembers(text)) {
    const name = JSON.parse(`"${written}"`) as string
    const isPlain = !/^[[{]/.test(value)
    if (name.startsWith('@') && isPlain) {
      members.set(`@${xmlName(name.slice(1))}`, plainText(value))
    } else if (name === '#text') members.set(name, isPlain ? plainText(value) : '')
    else add(members, xmlName(name), contentOf(value))
  }
  return Object.fromEntries(members)
}

const contentOf = (text: string): Content =>
  text.startsWith('[') ? jsonElements(text).map(xmlValue) : xmlValue(text)

/** Names that no element can have may become the same one, which then comes several times. */
function add(members: Map<string, Content>, name: string, content: Content): void {
  const there = members.get(name)
  members.set(name, there === undefined ? content : [there, content].flat())
}
