import type { verifiedStores } from '../../support/store.ts'

/** Opens a store of the engine that the suite runs for. */
export type Open = ReturnType<typeof verifiedStores>
