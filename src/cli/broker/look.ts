/** `apie broker list`, `show` and `resolve-external-uuid`: what is stored. */
import { AppError } from '../../domain/app-error.ts'
import { checkedStart } from '../../domain/broker/broker-stream.ts'
import type { CommandCall } from '../command.ts'
import { jsonLine, textBlock, textLine } from './event-line.ts'
import { withBroker } from './open-broker.ts'
import { idOption, parseId, parseUuid } from './values.ts'

/** Characters that are written at once. */
const CHUNK = 65_536

export async function runList(call: CommandCall): Promise<void> {
  const after = idOption(call, 'start-after') ?? 0
  const line = call.options['json'] ? jsonLine : textLine
  await withBroker(call, 'existing', async ({ stream }) => {
    let text = ''
    for await (const event of stream.load(await checkedStart(stream, after))) {
      text += line(event)
      if (text.length < CHUNK) continue
      await call.terminal.out(text)
      text = ''
    }
    if (text !== '') await call.terminal.out(text)
  })
}

export async function runShow(call: CommandCall): Promise<void> {
  const id = parseId(call.words[0] ?? '', 'ID')
  await withBroker(call, 'existing', async ({ stream }) => {
    const event = await stream.read(id)
    if (!event) throw new AppError('event-not-found', `There is no event ${id}`, { id })
    await call.terminal.out(call.options['json'] ? jsonLine(event) : textBlock(event))
  })
}

export async function runResolve(call: CommandCall): Promise<void> {
  const uuid = parseUuid(call.words[0] ?? '', 'UUID')
  await withBroker(call, 'existing', async ({ stream }) => {
    const id = uuid && (await stream.find(uuid))
    if (id === undefined) throw new AppError('event-not-found', 'No event has this UUID')
    await call.terminal.out(call.options['json'] ? `${JSON.stringify({ id })}\n` : `${id}\n`)
  })
}
