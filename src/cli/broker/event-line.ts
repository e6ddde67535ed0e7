/** An event of the broker as a line for people, and as a JSON line. */
import type { BrokerEvent } from '../../domain/broker/broker-event.ts'

export function jsonLine(event: BrokerEvent): string {
  const { id, uuid, className, createdAt, causation, body, problem } = event
  const shown = {
    id,
    external_uuid: uuid,
    class: className,
    created: createdAt,
    causation_id: causation,
    data: body,
    ...(problem === undefined ? {} : { problem }),
  }
  return `${JSON.stringify(shown)}\n`
}

const WIDTH = { id: 6, className: 13, causation: 6 } as const

/** Id, time, class, causation, UUID and data in columns. */
export function textLine({ id, uuid, className, createdAt, causation, body }: BrokerEvent): string {
  const columns = [
    String(id).padStart(WIDTH.id),
    createdAt,
    printable(className).padEnd(WIDTH.className),
    String(causation).padStart(WIDTH.causation),
    uuid,
    printable(JSON.stringify(body) ?? ''),
  ]
  return `${columns.join('  ')}\n`
}

/** A member a line. */
export function textBlock(event: BrokerEvent): string {
  const { id, uuid, className, createdAt, causation, body, problem } = event
  const members = {
    id,
    external_uuid: uuid,
    class: printable(className),
    created: createdAt,
    causation_id: causation,
    data: printable(JSON.stringify(body) ?? ''),
    ...(problem === undefined ? {} : { problem }),
  }
  return Object.entries(members)
    .map(([name, value]) => `${name.padEnd(13)}  ${value}\n`)
    .join('')
}

/** Text that can neither end a line nor steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')
    return code.length > 4 ? `\\u{${code}}` : `\\u${code}`
  })
}
