/** Whether the store answers: both its parts are really read. */
import { readLastEvent } from '../../domain/last-event.ts'
import type { LogEngine, RecordEngine } from '../../domain/ports.ts'
import type { Handler } from '../../http/handler.ts'
import { jsonResponse } from '../../http/response.ts'

export function readHealth(parts: {
  readonly log: LogEngine
  readonly records: RecordEngine
}): Handler {
  return async () => {
    await readLastEvent(parts.log)
    await parts.records.read('offset', '-')
    return jsonResponse(200, { status: 'OK' })
  }
}
