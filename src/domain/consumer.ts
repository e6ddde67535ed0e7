import type { Brand } from '../kit/brand.ts'
import { isUuid } from '../kit/uuid.ts'

/** Who reads and acknowledges, as it calls itself: a UUID of any version, lower-case. */
export type ConsumerId = Brand<string, 'ConsumerId'>

/** The consumer that `text` names, or `undefined` where it is no UUID. */
export function findConsumerId(text: string): ConsumerId | undefined {
  return isUuid(text) ? (text.toLowerCase() as ConsumerId) : undefined
}
