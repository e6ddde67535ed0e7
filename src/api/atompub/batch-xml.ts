/** Batches of events in XML, read by `fast-xml-parser`. */
import type { EventDraft } from '../../domain/event.ts'
import { invalidBatch } from './batch-text.ts'

export function parseXmlBatch(_text: string): EventDraft[] {
  throw invalidBatch('not yet')
}
