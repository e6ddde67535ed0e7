/** When two JSON values say the same: members in any order, numbers as exact as they were written. */

/** A number that a double would round, kept as its digits. */
class WrittenNumber {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

/** At most 15 digits and no exponent: a double tells all of these apart, and `1.0` is `1`. */
const shortNumber = /^-?[0-9.]{1,15}$/

/** Like `JSON.parse`, but two numbers that differ only beyond double precision stay different for `isSameJson`. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { source?: string }) => {
    const source = context?.source
    if (typeof value !== 'number' || source === undefined) return value
    return source === String(value) || shortNumber.test(source) ? value : new WrittenNumber(source)
  })
}

/** Whether two values of `JSON.parse` or `parseExactJson` are equal in every part. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!isObject(a) || !isObject(b)) return false
  if (a instanceof WrittenNumber || b instanceof WrittenNumber) {
    return a instanceof WrittenNumber && b instanceof WrittenNumber && a.source === b.source
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && isSameJson(a[key], b[key]))
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  value !== null && typeof value === 'object'
