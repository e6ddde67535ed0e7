import { expect, test } from 'vitest'
import { mongoUrl } from '../support/mongodb-store.ts'
import { contentContract } from './content-contract.ts'
import { engines } from './engines.ts'
import { logContract } from './log-contract.ts'
import { recordContract } from './record-contract.ts'

for (const engine of engines) {
  logContract(engine)
  recordContract(engine)
  contentContract(engine)
}

// No package brings a MongoDB server, so that leaving it out has to show in the count.
test.skipIf(mongoUrl() === undefined)(
  'the mongodb engine runs where APIE_TEST_MONGODB_URL names a server',
  () => {
    expect(engines.map(({ name }) => name)).toContain('mongodb')
  },
)
