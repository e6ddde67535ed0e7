/** The request corpus through the app alone, on every engine. */
import { describe, it } from 'vitest'
import { engines } from '../../contract/engines.ts'
import { APP_CORPUS } from '../../gateway/corpus.ts'
import { verifiedStores } from '../../support/store.ts'
import { openTestApp } from '../../support/test-app.ts'

describe.each(engines)('on engine $name the app answers:', (engine) => {
  const open = verifiedStores(engine)
  for (const { name, run } of APP_CORPUS) {
    it(name, async () => {
      const { store, clock } = await open()
      clock.nowMs = Date.now()
      const { send } = await openTestApp({ store })
      await run(send)
    })
  }
})
