/** What a setting means, in the words of its row of the table: for the help and the Markdown. */
import { SETTINGS, type SettingKind } from '../settings.ts'

export type SettingMeaning = {
  readonly name: string
  readonly variable: string
  /** Empty where there is none, or none that is the same everywhere. */
  readonly fallback: string
  /** Its choices, where it has some, its line, and the least and the most that a number may be. */
  readonly text: string
}

export function settingMeanings(): SettingMeaning[] {
  return Object.entries(SETTINGS).map(([name, row]) => {
    const choices: readonly string[] = 'choices' in row ? row.choices : []
    const listed = choices.map((choice) => `\`${choice}\``).join(', ')
    const text = listed === '' ? `${row.doc}${boundsText(row)}` : `${listed}: ${row.doc}`
    return { name, variable: row.variable, fallback: String(row.fallback), text }
  })
}

function boundsText(row: SettingKind): string {
  if (row.type !== 'number') return ''
  return row.max === Number.MAX_SAFE_INTEGER ? ` (≥ ${row.min})` : ` (${row.min} to ${row.max})`
}
