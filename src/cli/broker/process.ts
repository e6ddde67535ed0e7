/** `apie broker process`: calls the API for every request that is open, until interrupted or until idle. */
import { createApiCaller } from '../../broker/api-call.ts'
import { hostProcesses } from '../../broker/host-processes.ts'
import { checkedStart } from '../../domain/broker/broker-stream.ts'
import { createCheckpoint } from '../../domain/broker/checkpoint.ts'
import { createPresence } from '../../domain/broker/presence.ts'
import type { ProcessorOptions } from '../../domain/broker/processor-ports.ts'
import { runProcessor } from '../../domain/broker/run-processor.ts'
import { randomUuid } from '../../kit/uuid.ts'
import type { Settings } from '../../settings.ts'
import type { CommandCall } from '../command.ts'
import { usage } from '../usage.ts'
import { HINT } from './hint.ts'
import { withBroker } from './open-broker.ts'
import { timers } from './timers.ts'
import { idOption } from './values.ts'

export async function runProcess(call: CommandCall): Promise<void> {
  const url = apiUrlOf(call.services.settings().brokerApiUrl)
  const after = idOption(call, 'start-after')
  const signal = call.services.untilStopped()
  await withBroker(call, 'create', async ({ stream, store, report, settings }) => {
    const run = randomUuid()
    await runProcessor(
      {
        stream,
        checkpoint: createCheckpoint(stream, store.records),
        run,
        presence: createPresence(store.records, hostProcesses(), run),
        callApi: createApiCaller({ url, maxResponseBytes: settings.brokerMaxResponseBytes }),
        clock: { now: () => Date.now() },
        timers,
        report,
        options: optionsOf(call, settings),
        ...(after === undefined ? {} : { startAfter: await checkedStart(stream, after) }),
      },
      call.options['until-idle'] ? 'until-idle' : 'for-ever',
      signal,
    )
  })
}

function apiUrlOf(text: string): URL {
  if (text === '') throw usage('"apie broker process" needs --api-url URL', HINT)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol)) return url
  throw usage(`--api-url must be an http: or https: address, not "${text}"`, HINT)
}

function optionsOf({ options }: CommandCall, settings: Settings): ProcessorOptions {
  return {
    maxParallel: settings.brokerMaxParallel,
    callLimitMs: settings.brokerCallLimitMs,
    graceMs: settings.brokerGraceMs,
    backoffMs: settings.brokerBackoffMs,
    jitter: settings.brokerJitterPercent / 100,
    lateResponses: options['late-responses'] === true,
  }
}
