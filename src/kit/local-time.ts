/** Times as clocks on walls show them, and the names of the zones they hang in. */

const localTime = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.\d+)?$/

/** Whether `text` is a real date and time: `YYYY-MM-DD HH:MM:SS`, also with `T` and fractions, without offset. */
export function isLocalTime(text: string): boolean {
  const found = localTime.exec(text)
  if (!found) return false
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1)
    .map(Number)
  const isTime = hour < 24 && minute < 60 && second < 60
  return isTime && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return isLeap ? 29 : 28
}

/** Whether `text` names a zone of the IANA time zone database, also under an older name. */
export function isTimeZone(text: string): boolean {
  if (text === 'UTC' || Intl.supportedValuesOf('timeZone').includes(text)) return true
  // Offsets such as +01:00 are no names. Formatting costs ten times the look at the list.
  if (!/^[a-z]/i.test(text)) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) !== undefined
  } catch {
    return false
  }
}
