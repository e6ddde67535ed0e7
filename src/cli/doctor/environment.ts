/** Whether the environment names settings that there are none of. */
import { unknownVariables } from '../unknown-variables.ts'
import { type Check, ok, warning } from './check.ts'

const NAME = 'environment'

export function checkEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Check[] {
  const unknown = unknownVariables(environment)
  if (unknown.length === 0) return [ok(NAME, 'no variable APIE_… that is not known')]
  return unknown.map(({ name, meant }) =>
    warning(
      NAME,
      `${name} is no setting and is ignored`,
      meant === undefined
        ? 'docs/command-line.md lists all of them under "Settings".'
        : `Did you mean ${meant}?`,
    ),
  )
}
