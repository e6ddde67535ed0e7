/** The broker's stream of the store that a call is about, and where its diagnostics go. */

import { type BrokerStream, createBrokerStream } from '../../domain/broker/broker-stream.ts'
import { loggedStream } from '../../domain/broker/logged-stream.ts'
import type { Report, ReportLevel } from '../../domain/broker/processor-ports.ts'
import type { Store } from '../../domain/ports.ts'
import { parseWritableStream } from '../../domain/stream-name.ts'
import { logLine } from '../../kit/log-line.ts'
import type { Settings } from '../../settings.ts'
import type { CommandCall } from '../command.ts'

export type OpenBroker = {
  readonly store: Store
  readonly stream: BrokerStream
  readonly report: Report
  readonly settings: Settings
}

/**
 * Opens the store for `work` and closes it behind it. No command works on a stream of the system: an event of
 * the broker in the metadata of a stream would switch the access list of that one off.
 * @throws AppError `bad-setting` before anything is opened or made
 */
export async function withBroker(
  call: CommandCall,
  mode: 'existing' | 'create',
  work: (broker: OpenBroker) => Promise<void>,
): Promise<void> {
  const settings = call.services.settings()
  const name = parseWritableStream(settings.brokerStream)
  const report = reportTo(call, settings.eventstoreLoglevel)
  const store = await call.services.openStore(mode, engineUrl(settings))
  try {
    const stream = loggedStream(createBrokerStream(store.log, name), report)
    await work({ store, stream, report, settings })
  } finally {
    await store.close()
  }
}

/**
 * The engine URL that `--eventstore-driver` and `--eventstore-db-host` stand for; `undefined` where the setting
 * `store` says it all.
 */
function engineUrl(
  settings: Pick<Settings, 'store' | 'data' | 'eventstoreDriver' | 'eventstoreDbHost'>,
): string | undefined {
  const { eventstoreDriver: driver, eventstoreDbHost: host } = settings
  if (driver === 'store' || (host === '' && settings.store.startsWith(`${driver}:`))) {
    return undefined
  }
  return driver === 'file' ? `file:${settings.data}` : `${driver}://${host || 'localhost'}/`
}

const RANKS: Readonly<Record<ReportLevel, number>> = { debug: 0, info: 1, warning: 2, error: 3 }
const LEAST = { debug: 0, info: 1, warn: 2, error: 3, crit: 4 } as const

function reportTo(call: CommandCall, least: keyof typeof LEAST): Report {
  return (level, message, facts = {}) => {
    if (RANKS[level] < LEAST[least]) return
    void call.terminal.err(logLine({ atMs: Date.now(), level, message, facts }))
  }
}
