/** The settings as operators see them over HTTP: effects and numbers, but no path, address or account. */
import { SETTINGS, type Settings } from './settings.ts'

/** `value` is absent where it could name something that is nobody's business. */
export type ToldSetting = {
  readonly name: string
  readonly description: string
  readonly value?: string
  readonly possibleValues?: readonly string[]
}

export function toldSettings(settings: Settings): readonly ToldSetting[] {
  return Object.entries(SETTINGS).map(([name, row]) => {
    const description = row.doc
    if (/^(text|stream|secret|url|origins)$/.test(row.type)) return { name, description }
    const value = String(settings[name as keyof Settings])
    return row.type === 'choice'
      ? { name, description, value, possibleValues: row.choices }
      : { name, description, value }
  })
}
