/** Batches of events in XML: every element in the root is an event. Names are taken in any case. */
import type { EventBody, EventDraft } from '../../domain/event.ts'
import type { JsonText } from '../../kit/json-text.ts'
import { invalidBatch, NO_BYTES, nestedJson, textBody } from './batch-text.ts'
import { type AtomSettings, BATCH_FACTOR, jsonLimits } from './parts.ts'
import { checkEventType, parseGuid } from './single-event.ts'
import { jsonOfXml, parseXml, XmlError, type XmlNode } from './xml-to-json.ts'

/** @throws AppError `bad-field`, `bad-header` */
export function parseXmlBatch(text: string, settings: AtomSettings): EventDraft[] {
  const { children } = checkedXml(text, settings)
  if (children.length === 0) throw invalidBatch('It holds no event')
  return children.map(draftOf)
}

/** As deep as the data of an event may be, and the three elements around it. */
function checkedXml(text: string, settings: AtomSettings): XmlNode {
  const { depth, values, keys } = jsonLimits(settings)
  try {
    return parseXml(text, { depth: depth + 3, values: values * BATCH_FACTOR, keys })
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw invalidBatch(error.message)
  }
}

function draftOf({ children }: XmlNode): EventDraft {
  const find = (name: string) => children.find((child) => child.name.toLowerCase() === name)
  const id = find('eventid')?.text.trim() ?? ''
  if (id === '') throw invalidBatch('Empty eventId provided.')
  const type = find('eventtype')?.text.trim() ?? ''
  if (type === '') throw invalidBatch('Empty eventType provided.')
  const metadata = metadataOf(find('metadata'))
  return {
    eventId: parseGuid(id, 'Write request body invalid. eventId'),
    eventType: checkEventType(type),
    body: bodyOf(find('data')),
    ...(metadata !== undefined && { metadata }),
  }
}

function bodyOf(node: XmlNode | undefined): EventBody {
  if (node === undefined) return NO_BYTES
  if (isStructured(node)) return { kind: 'json', text: jsonOfXml(node) }
  return node.text === '' ? NO_BYTES : textBody(node.text)
}

function metadataOf(node: XmlNode | undefined): JsonText | undefined {
  if (node === undefined) return undefined
  if (isStructured(node)) return jsonOfXml(node)
  if (node.text === '') return undefined
  return nestedJson(node.text) ?? (JSON.stringify(node.text) as JsonText)
}

const isStructured = ({ children, attributes }: XmlNode): boolean =>
  children.length > 0 || attributes.length > 0
