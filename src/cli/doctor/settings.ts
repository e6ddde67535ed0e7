/** Whether the environment names settings that there are none of, and settings name files that can be used. */
import type { Settings } from '../../settings.ts'
import { settingFiles } from '../setting-files.ts'
import { unknownVariables } from '../unknown-variables.ts'
import { type Check, ok, problem as problemOf, warning } from './check.ts'

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

export function checkSettingFiles(settings: Settings): Check[] {
  return settingFiles(settings).map(({ name, path, problem, fix }) =>
    problem === undefined
      ? ok(name, `${path} can be used`)
      : problemOf(name, `${path} ${problem}`, fix),
  )
}
