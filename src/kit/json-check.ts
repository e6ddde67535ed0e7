/** Checks of JSON values, small ones and those made of them. */
import type { Check } from './diff.ts'

export const isText: Check<string> = (value): value is string => typeof value === 'string'
export const isNumber: Check<number> = (value): value is number => typeof value === 'number'
export const isFlag: Check<boolean> = (value): value is boolean => typeof value === 'boolean'

export const nullable =
  <T>(check: Check<T>): Check<T | null> =>
  (value): value is T | null =>
    value === null || check(value)

export const listOf =
  <T>(check: Check<T>): Check<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.every((item) => check(item))
