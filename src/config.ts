/**
 * Reads the settings of `settings.ts`. Text and environment are passed in; where they come from is `main.ts`.
 * Later wins: built-in default, settings file, environment, option of the command line.
 */
import { AppError } from './domain/app-error.ts'
import { nameProblem } from './domain/name.ts'
import { scanJson } from './kit/json-text.ts'
import { SETTINGS, type SettingKind, type SettingName, type Settings } from './settings.ts'

/** Where settings come from; each overrides the ones before it. */
export type SettingSources = {
  /** A JSON settings file, or the lines `name: value` of a stub. */
  readonly file?: SettingsFile
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Options of the command line by setting name. */
  readonly options?: Readonly<Partial<Record<SettingName, string>>>
}

type SettingsFile = {
  readonly name: string
  readonly text: string
  /** What a value means in this file: paths count from its folder. */
  readonly placed?: (name: SettingName, value: string) => string
}

/** @throws AppError `bad-setting` that names the setting and where its value came from */
export function readSettings(sources: SettingSources): Settings {
  const values: Record<string, unknown> = {}
  for (const [name, row] of Object.entries(SETTINGS)) values[name] = row.fallback
  if (sources.file) Object.assign(values, readFileSettings(sources.file))
  for (const [name, row] of Object.entries(SETTINGS)) {
    const variable = sources.environment?.[row.variable]
    if (variable !== undefined && variable !== '') values[name] = parse(row, variable, row.variable)
    const option = sources.options?.[name as SettingName]
    if (option !== undefined) values[name] = parse(row, option, `option for ${name}`)
  }
  return Object.freeze(values) as Settings
}

function readFileSettings(file: SettingsFile): Record<string, unknown> {
  const isStub = file.text.startsWith('#!')
  const pairs = isStub ? stubLines(file) : jsonPairs(file)
  return Object.fromEntries(
    pairs.map(([name, value]) => {
      if (!isSetting(name)) throw badSetting(`${file.name} has an unknown setting "${name}"`, name)
      const placed = file.placed?.(name, value) ?? value
      return [name, parse(SETTINGS[name], placed, file.name, ` for "${name}"`)]
    }),
  )
}

const isSetting = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name)

/** More than any settings need. */
const LIMITS = { depth: 8, values: 10_000, keys: 1000 }

function jsonPairs(file: SettingsFile): [string, string][] {
  let parsed: unknown
  // Editors of some hosts put a byte order mark in front.
  const text = file.text.replace(/^\ufeff/, '')
  try {
    parsed = JSON.parse(text)
    // Of a member that stands twice the platform takes the last.
    scanJson(text, LIMITS)
  } catch (error) {
    throw badSetting(`${file.name} is not valid JSON: ${(error as Error).message}`, '')
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw badSetting(`${file.name} must hold a JSON object`, '')
  }
  return Object.entries(parsed).map(([name, value]) => [name, jsonText(value, name, file.name)])
}

/** The text of a JSON value, as a variable of the environment would say it. */
function jsonText(value: unknown, name: string, from: string): string {
  const type = isSetting(name) ? SETTINGS[name].type : undefined
  const isList = type === 'origins'
  // A path `5` is hardly what a number means, and the digits of a long one would be others.
  const isText = type === 'text' || type === 'stream' || type === 'secret'
  if (isList && Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return value.join(',')
  }
  const isTaken = isText ? /^string$/ : /^(string|number|boolean)$/
  if (isTaken.test(typeof value)) return String(value)
  const other = isText ? 'text' : 'text, a number, true or false'
  const expected = isList ? 'a list of texts' : other
  throw badSetting(`${from}: expected ${expected} for "${name}"`, name)
}

function stubLines(file: SettingsFile): [string, string][] {
  const lines = file.text.split(/\r?\n/).slice(1)
  const names = new Set<string>()
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const colon = line.indexOf(':')
      if (colon < 1) throw badSetting(`${file.name}: expected "name: value", found "${line}"`, '')
      const name = line.slice(0, colon).trim()
      if (names.has(name)) throw badSetting(`${file.name}: "${name}" stands twice`, name)
      names.add(name)
      return [name, line.slice(colon + 1).trim()]
    })
}

/** RFC 3986: scheme, host (a name, an address or one of IPv6), port and path; no user, query or fragment. */
const BASE_URL = /^https?:\/\/([\w.~%-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?(\/[\w.~%!$&'()*+,;=:@/-]*)?$/

/** RFC 6454 §6.2 as browsers write it, else it never equals one: lower case, no default port, no slash at the end. */
function isOrigin(text: string): boolean {
  if (/^https?:/i.test(text)) {
    return !text.includes('*') && URL.canParse(text) && new URL(text).origin === text
  }
  // Pages of browser extensions and of apps have schemes of their own.
  return /^[a-z][a-z0-9+.-]*:\/\/[\w.:-]+$/.test(text)
}

/** @param what names the setting where `from` does not */
function parse(
  row: SettingKind & { readonly variable: string },
  value: string,
  from: string,
  what = '',
): unknown {
  const refused = (expected: string, found = value): AppError =>
    badSetting(`${from}: expected ${expected}${what}, found "${found}"`, row.variable)
  switch (row.type) {
    case 'text':
      return value
    case 'stream':
      if (nameProblem(value) === undefined && !value.startsWith('$')) return value
      throw refused('the name of a stream that does not begin with "$"')
    case 'url':
      if (value === '' || BASE_URL.test(value)) return value
      throw refused('a URL without query (such as https://example.org/apie)')
    case 'secret': {
      const secret = value.trim()
      if (secret === '' || secret.length >= row.least) return secret
      const message = `${from}: expected at least ${row.least} characters${what}, found ${secret.length}`
      throw badSetting(message, row.variable)
    }
    case 'origins': {
      const items = value.split(',').map((item) => item.trim())
      const given = items.filter((item) => item !== '')
      const wrong = given.find((item) => !isOrigin(item))
      if (wrong === undefined) return given
      throw refused('origins as browsers send them (such as https://example.org)', wrong)
    }
    case 'flag':
      if (/^(true|on|yes|1)$/i.test(value)) return true
      if (/^(false|off|no|0)$/i.test(value)) return false
      throw refused('true or false')
    case 'number': {
      const number = Number(value)
      const isIn = number >= row.min && number <= row.max
      if (/^[0-9]+$/.test(value) && isIn) return number
      throw refused(`a whole number from ${row.min} to ${row.max}`)
    }
    case 'choice':
      if (row.choices.includes(value)) return value
      throw refused(`one of ${row.choices.join(', ')}`)
    default:
      return row satisfies never
  }
}

function badSetting(message: string, setting: string): AppError {
  return new AppError('bad-setting', message, { setting })
}
