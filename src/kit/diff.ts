/**
 * Typed diffs of flat records, for events that say only what was changed. The rules and an example stand in
 * `docs/diff.md`.
 *
 * A field is replaced whole or not at all: lists and nested records are compared by their JSON and never
 * merged. This module knows nothing of events; a diff becomes the body of one by `encodeDiff`.
 */
import { isSameJson } from './json-equal.ts'

/** Whether a JSON value is one of `T`. A field may be cleared if its check takes `null`. */
export type Check<T> = (value: unknown) => value is T

export type Field<T> = {
  /** `compared`: told only where it differs. `carried`: always told, such as an id. */
  readonly role: 'compared' | 'carried'
  readonly check: Check<T>
}

/** How a record `R` is compared, checked, and written as JSON. */
export type RecordShape<R> = {
  readonly fields: { readonly [K in keyof R]-?: Field<R[K]> }
  /** The key of a field in JSON; its own name by default. */
  readonly label: (field: string) => string
}

/** What a diff says of one field. */
export type Change<T> =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly value: T }
  | { readonly kind: 'carried'; readonly value: T }

/** The record with a change in place of each value. */
export type Diff<R> = { readonly [K in keyof R]: Change<R[K]> }

/** What keeps a JSON value from being a diff, and the label of the field it is about. */
export class DiffError extends Error {
  /** `undefined`: the whole value. */
  readonly label: string | undefined

  constructor(problem: string, label?: string) {
    super(label === undefined ? `The diff ${problem}` : `Field "${label}" ${problem}`)
    this.name = 'DiffError'
    this.label = label
  }
}

export const compared = <T>(check: Check<T>): Field<T> => ({ role: 'compared', check })
export const carried = <T>(check: Check<T>): Field<T> => ({ role: 'carried', check })

/** @throws DiffError where two fields have one label */
export function recordShape<R>(
  fields: RecordShape<R>['fields'],
  label: (field: string) => string = (field) => field,
): RecordShape<R> {
  const labels = new Set<string>()
  for (const name of Object.keys(fields)) {
    if (labels.has(label(name))) throw new DiffError('stands for two fields', label(name))
    labels.add(label(name))
  }
  return { fields, label }
}

/** What has to be said to make `b` of `a`; carried fields are those of `b`. */
export function diff<R>(shape: RecordShape<R>, a: R, b: R): Diff<R> {
  return mapFields(shape, (name, field) => {
    const value = b[name]
    if (field.role === 'carried') return { kind: 'carried', value }
    return isSameJson(a[name], value) ? { kind: 'unchanged' } : { kind: 'changed', value }
  })
}

/** `a` with what a diff says: `apply(shape, a, diff(shape, a, b))` equals `b`. */
export function apply<R>(shape: RecordShape<R>, a: R, changes: Diff<R>): R {
  const values = fieldNames(shape).map((name) => {
    const change = changes[name]
    return [name, change.kind === 'unchanged' ? a[name] : change.value]
  })
  return Object.fromEntries(values)
}

/** A JSON object with the changed and the carried fields only, under their labels. */
export function encodeDiff<R>(
  shape: RecordShape<R>,
  changes: Diff<R>,
): Readonly<Record<string, unknown>> {
  const told = fieldNames(shape).flatMap((name) => {
    const change = changes[name]
    return change.kind === 'unchanged' ? [] : [[shape.label(name), change.value] as const]
  })
  return Object.fromEntries(told)
}

/**
 * The diff that a value of `JSON.parse` says. Keys that are no label are overlooked.
 * @throws DiffError where it is no object, a carried field is missing, or a value fails its check
 * (`null` does unless the field may be cleared)
 */
export function decodeDiff<R>(shape: RecordShape<R>, json: unknown): Diff<R> {
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    throw new DiffError('must be a JSON object')
  }
  return mapFields(shape, (name, field) => {
    const label = shape.label(name)
    if (!Object.hasOwn(json, label)) {
      if (field.role === 'carried') throw new DiffError('is missing', label)
      return { kind: 'unchanged' }
    }
    const value: unknown = (json as Readonly<Record<string, unknown>>)[label]
    if (!field.check(value)) {
      throw new DiffError(value === null ? 'cannot be null' : 'has a wrong value', label)
    }
    return { kind: field.role === 'carried' ? 'carried' : 'changed', value }
  })
}

type FieldName<R> = keyof R & string

const fieldNames = <R>({ fields }: RecordShape<R>): FieldName<R>[] =>
  Object.keys(fields) as FieldName<R>[]

/** One change for each field, in the order of the shape. */
function mapFields<R>(
  shape: RecordShape<R>,
  map: <K extends FieldName<R>>(name: K, field: Field<R[K]>) => Change<R[K]>,
): Diff<R> {
  const entries = fieldNames(shape).map((name) => [name, map(name, shape.fields[name])])
  return Object.fromEntries(entries)
}
