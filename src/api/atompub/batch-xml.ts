/** Batches of events in XML, read by `fast-xml-parser`. */
import type { EventDraft } from '../../domain/event.ts'
import { invalid } from './batch.ts'

export function parseXmlBatch(_text: string): EventDraft[] {
  throw invalid('not yet')
}
