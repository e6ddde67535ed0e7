/** The suite of the log port: what every engine must do, group by group. */
import { describe } from 'vitest'
import { type Engine, verifiedStores } from '../support/store.ts'
import { appendGroup } from './log/append-group.ts'
import { bodyGroup } from './log/body-group.ts'
import { chainGroup } from './log/chain-group.ts'
import { closedGroup } from './log/closed-group.ts'
import { parallelGroup } from './log/parallel-group.ts'
import { readGroup } from './log/read-group.ts'
import { reopenGroup } from './log/reopen-group.ts'
import { retryGroup } from './log/retry-group.ts'
import { scavengeGroup } from './log/scavenge-group.ts'
import { sequenceGroup } from './log/sequence-group.ts'

export function logContract(engine: Engine): void {
  describe(`log of the ${engine.name} engine`, () => {
    const open = verifiedStores(engine)
    chainGroup(open)
    appendGroup(open)
    retryGroup(open)
    parallelGroup(open)
    sequenceGroup(open)
    readGroup(open)
    bodyGroup(open)
    closedGroup(open)
    scavengeGroup(open)
    reopenGroup(engine, open)
  })
}
