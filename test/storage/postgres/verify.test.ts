/** More defects in the tables than anybody reads. */
import { describe, expect, test } from 'vitest'
import { appendTo, draft } from '../../support/drafts.ts'
import { postgresUrl } from '../../support/postgres-cluster.ts'
import { inDatabase, makePostgresPlace, openPostgresPlace } from '../../support/postgres-store.ts'
import { handClock } from '../../support/store.ts'

const clusterUrl = postgresUrl()

describe.skipIf(clusterUrl === undefined)('verifying in PostgreSQL', () => {
  test.each([
    ['the type number of', 'type_number = type_number + 5000'],
    ['the keys of', "event_key = event_key || 'x'::bytea"],
  ])('says that there may be more where %s 1001 events are wrong', async (_what, change) => {
    const place = await makePostgresPlace(clusterUrl ?? '')
    const { store } = await openPostgresPlace(place, handClock())
    const drafts = Array.from({ length: 1001 }, (_, n) => draft(n))
    await store.log.append(appendTo('s', drafts))
    await inDatabase(place.url, `UPDATE apie_event SET ${change} WHERE position > 0`)
    const exactly = await store.log.verify()
    expect([exactly.findings.length, exactly.mayHaveMore]).toEqual([1000, undefined])
    await inDatabase(place.url, `UPDATE apie_event SET ${change} WHERE position = 0`)
    const { findings, mayHaveMore } = await store.log.verify()
    expect([findings.length, mayHaveMore]).toEqual([1000, true])
    await store.close()
    await place.remove()
  })
})
