/** What a setting means, in the words of its row of the table: for the help and the Markdown. */
import { SETTINGS } from '../settings.ts'

export type SettingMeaning = {
  readonly name: string
  readonly variable: string
  /** Empty where there is none, or none that is the same everywhere. */
  readonly fallback: string
  /** Its choices, where it has some, and its line. */
  readonly text: string
}

export function settingMeanings(): SettingMeaning[] {
  return Object.entries(SETTINGS).map(([name, row]) => {
    const choices: readonly string[] = 'choices' in row ? row.choices : []
    const listed = choices.map((choice) => `\`${choice}\``).join(', ')
    const text = listed === '' ? row.doc : `${listed}: ${row.doc}`
    return { name, variable: row.variable, fallback: String(row.fallback), text }
  })
}
