/** Type of the event that ends a stream for ever. */
export const TOMBSTONE_TYPE = '$streamDeleted'
