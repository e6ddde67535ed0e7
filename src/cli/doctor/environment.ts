/** Variables of the environment that look like settings and are none: nobody reads them. */

import { nearest } from '../../kit/nearest.ts'
import { SETTINGS } from '../../settings.ts'
import { type Check, ok, warning } from './check.ts'

const NAME = 'environment'
/** What the program reads besides settings. */
const OTHERS = ['APIE_CONFIG', 'APIE_DEBUG']

export function checkEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Check[] {
  const known = [...Object.values(SETTINGS).map(({ variable }) => variable as string), ...OTHERS]
  const strange = Object.keys(environment)
    .filter((name) => /^apie_/i.test(name) && !known.includes(name))
    .sort()
  if (strange.length === 0) return [ok(NAME, 'no variable APIE_… that is not known')]
  return strange.map((name) =>
    warning(NAME, `${name} is no setting and is ignored`, fixOf(name, known)),
  )
}

function fixOf(name: string, known: readonly string[]): string {
  const guess = nearest(name.toUpperCase(), known)
  if (guess === undefined) return 'docs/command-line.md lists all of them under "Settings".'
  return `Did you mean ${guess}?`
}
