/** Batches of events in the body of a request, in whichever form. */
import { AppError } from '../../domain/app-error.ts'
import type { EventDraft } from '../../domain/event.ts'
import { readText } from '../../http/body.ts'
import type { HttpRequest } from '../../http/message.ts'
import type { JsonText } from '../../kit/json-text.ts'
import { parseJsonBatch } from './batch-json.ts'
import type { AtomSettings } from './parts.ts'

/** @throws AppError `bad-json`, `bad-field`, `body-too-large` */
export async function readBatch(
  request: HttpRequest,
  form: 'json' | 'xml',
  settings: AtomSettings,
): Promise<readonly EventDraft[]> {
  const text = await readText(request, settings.maxBatchBytes)
  const drafts =
    form === 'json'
      ? parseJsonBatch(text, settings)
      : (await import('./batch-xml.ts')).parseXmlBatch(text, settings)
  for (const draft of drafts) checkSize(draft, settings.maxEventBytes)
  return drafts
}

function checkSize({ body, metadata = '' as JsonText }: EventDraft, maxBytes: number): void {
  const size = body.kind === 'json' ? Buffer.byteLength(body.text) : body.bytes.length
  if (size + Buffer.byteLength(metadata) <= maxBytes) return
  throw new AppError('body-too-large', `An event may have at most ${maxBytes} bytes`, { maxBytes })
}
