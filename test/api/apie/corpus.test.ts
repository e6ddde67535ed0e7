/** The request corpus through the app alone. */
import { describe, it } from 'vitest'
import { CORPUS } from '../../gateway/corpus.ts'
import { openTestApp } from '../../support/test-app.ts'

describe('the app answers', () => {
  for (const { name, run } of CORPUS) {
    it(name, async () => {
      const { send } = await openTestApp()
      await run(send)
    })
  }
})
