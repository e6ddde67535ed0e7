/** From the engine URL of the settings to an open store; an engine is loaded only when it is chosen. */
import type { Settings } from '../config.ts'
import { AppError } from '../domain/app-error.ts'
import type { Clock, Store } from '../domain/ports.ts'

export type OpenOptions = {
  readonly settings: Settings
  readonly clock: Clock
  /** `create` makes a data folder where there is none. */
  readonly mode: 'existing' | 'create'
  /** Whether the process serves one request and ends, or many at once. */
  readonly serves: 'one-request' | 'many-requests'
}

/** @throws AppError `bad-setting` for an engine that is not there; what the engine throws on opening */
export async function openStore(options: OpenOptions): Promise<Store> {
  const { settings, clock } = options
  const [, scheme = '', rest = ''] = /^([a-z+]+):(.*)$/s.exec(settings.store) ?? []
  switch (scheme) {
    case 'file':
      return await openFolder(rest, options)
    case 'memory': {
      const { createMemoryStore } = await import('./memory/engine.ts')
      return createMemoryStore({ clock })
    }
    default:
      throw new AppError(
        'bad-setting',
        `store: there is no engine "${scheme || 'without a name'}"; use "file:DIR" or "memory:"`,
        { setting: 'store' },
      )
  }
}

async function openFolder(_root: string, _options: OpenOptions): Promise<Store> {
  throw new AppError('storage-unavailable', 'The file engine cannot be opened')
}
