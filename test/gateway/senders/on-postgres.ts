/** The standalone server over a store in PostgreSQL that is a copy of the one in a data folder. */
import { readSettings } from '../../../src/config.ts'
import { copyStore } from '../../../src/domain/copy-store.ts'
import { openCommandStore } from '../../../src/wire.ts'
import { makePostgresPlace } from '../../support/postgres-store.ts'
import type { OpenGateway } from '../gateways.ts'
import { openStandalone } from './standalone.ts'

export async function openOnPostgres(clusterUrl: string, dataFolder: string): Promise<OpenGateway> {
  const place = await makePostgresPlace(clusterUrl)
  const open = (store: string) => openCommandStore(readSettings({ options: { store } }), 'existing')
  const from = await open(`file:${dataFolder}`)
  const to = await open(place.url)
  await copyStore(from, to, () => {})
  await from.close()
  await to.close()
  const { send, close } = await openStandalone(dataFolder, place.url)
  return {
    send,
    close: async () => {
      await close()
      await place.remove()
    },
  }
}
