/** Nearly all names: visible ASCII and spaces, without `/`. */
const plainName = /^[ -.0-~]{1,255}$/

/** Says what keeps `text` from being a name of a stream or an event type, if anything. */
export function nameProblem(text: string): string | undefined {
  if (plainName.test(text)) return undefined
  if (text.length === 0) return 'must not be empty'
  if ([...text].length > 255) return 'must have at most 255 characters'
  if (text.includes('/')) return 'must not contain "/"'
  if (!text.isWellFormed()) return 'must be well-formed Unicode'
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(text)) {
    return 'must not contain control characters'
  }
  if (text.normalize('NFC') !== text) return 'must be in Unicode normal form C'
  return undefined
}
