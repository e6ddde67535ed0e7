/** Values that are there at once or later: waiting for what is there costs a turn for nothing. */

export type MaybeLater<T> = T | Promise<T>

/** Goes on with a value at once where it is there. What `next` throws comes as it would from a call or a promise. */
export function andThen<T, U>(
  value: MaybeLater<T>,
  next: (value: T) => MaybeLater<U>,
): MaybeLater<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
