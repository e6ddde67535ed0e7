/**
 * JSON as XML elements: a member becomes an element, a list an element that comes several times, a member
 * whose name begins with `@` an attribute. The way back is `xml-to-json.ts`.
 */
import type { JsonText } from '../../kit/json-text.ts'
import { xmlName } from '../../kit/xml-name.ts'
import type { XmlElement, XmlValue } from './xml-writer.ts'

/** What stands inside the element that holds the value. Items of a list that has no name are called `item`. */
export function xmlOfJson(text: JsonText): XmlValue {
  const value: unknown = JSON.parse(text, withWrittenNumbers)
  return Array.isArray(value) ? { item: value.map(xmlValue) } : xmlValue(value)
}

/** Numbers stay as they were written: a double would round the long ones. */
function withWrittenNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? String(value)) : value
}

function xmlValue(value: unknown): XmlValue {
  if (value === null) return ''
  if (Array.isArray(value)) return { item: value.map(xmlValue) }
  return typeof value === 'object' ? elementOf(value) : String(value)
}

function elementOf(object: object): XmlElement {
  const members = Object.entries(object).map(([name, value]: [string, unknown]) => {
    const isAttribute = name.startsWith('@') && (value === null || typeof value !== 'object')
    if (isAttribute) return [`@${xmlName(name.slice(1))}`, String(value ?? '')]
    if (name === '#text') return [name, typeof value === 'object' ? '' : String(value)]
    return [xmlName(name), Array.isArray(value) ? value.map(xmlValue) : xmlValue(value)]
  })
  return Object.fromEntries(members)
}
