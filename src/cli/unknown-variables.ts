/** Variables of the environment that look like settings and are none: nobody reads them. */
import { nearest } from '../kit/nearest.ts'
import { SETTINGS } from '../settings.ts'

export type UnknownVariable = {
  readonly name: string
  /** The variable that was probably meant. */
  readonly meant?: string
}

/** What the program reads besides settings. */
const OTHERS = ['APIE_CONFIG', 'APIE_DEBUG']

/** By name; the list is empty where all is well. */
export function unknownVariables(
  environment: Readonly<Record<string, string | undefined>>,
): UnknownVariable[] {
  const known = [...Object.values(SETTINGS).map(({ variable }) => variable as string), ...OTHERS]
  return Object.keys(environment)
    .filter((name) => /^apie_/i.test(name) && !known.includes(name))
    .sort()
    .map((name) => {
      const meant = nearest(name.toUpperCase(), known)
      return meant === undefined ? { name } : { name, meant }
    })
}

/** One line for each, for standard error. */
export function unknownVariablesText(unknown: readonly UnknownVariable[]): string {
  return unknown
    .map(({ name, meant }) => {
      const hint = meant === undefined ? 'see "apie help settings"' : `did you mean ${meant}?`
      return `apie: ${name} is no setting and is ignored; ${hint}\n`
    })
    .join('')
}
