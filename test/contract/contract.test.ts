import { contentContract } from './content-contract.ts'
import { engines } from './engines.ts'
import { logContract } from './log-contract.ts'
import { recordContract } from './record-contract.ts'

for (const engine of engines) {
  logContract(engine)
  recordContract(engine)
  contentContract(engine)
}
