/** What scavenging leaves in the tables, and what it does not touch. */
import { describe, expect, test } from 'vitest'
import { appendTo, draft, jsonBody } from '../../support/drafts.ts'
import { postgresUrl } from '../../support/postgres-cluster.ts'
import { inDatabase, makePostgresPlace, openPostgresPlace } from '../../support/postgres-store.ts'
import { handClock } from '../../support/store.ts'

const clusterUrl = postgresUrl()

const open = async () => {
  const place = await makePostgresPlace(clusterUrl ?? '')
  const { store } = await openPostgresPlace(place, handClock())
  for (let n = 0; n < 4; n++) {
    await store.log.append(appendTo('s', [{ ...draft(n), body: jsonBody('"a secret"') }]))
  }
  return { place, store, log: store.log }
}

const change = (position: number, from: string, to: string): string =>
  `UPDATE apie_event SET json = convert_to(replace(convert_from(json, 'UTF8'), '${from}', '${to}'), 'UTF8')
   WHERE position = ${position}`

describe.skipIf(clusterUrl === undefined)('scavenging in PostgreSQL', () => {
  test('leaves a damaged log as it is, so that no removal covers it', async () => {
    const { place, store, log } = await open()
    await inDatabase(place.url, change(1, 'a secret', 'a lie'))
    await expect(log.scavenge(() => true)).rejects.toMatchObject({
      code: 'log-damaged',
      facts: { position: 1 },
    })
    const { findings } = await log.verify()
    expect(findings.map(({ position }) => position)).toEqual([1])
    await store.close()
    await place.remove()
  })

  test('is seen through where what is left was changed', async () => {
    const { place, store, log } = await open()
    expect(await log.scavenge((_event, position) => position < 2)).toMatchObject({ removed: 2 })
    expect(await log.verify()).toMatchObject({ findings: [], counts: { scavenged: 2 } })
    await inDatabase(place.url, change(1, 'ann@', 'bob@'))
    const { findings } = await log.verify()
    expect(findings).toMatchObject([
      { position: 1, message: 'What is left of a scavenged event was changed' },
    ])
    await store.close()
    await place.remove()
  })
})
