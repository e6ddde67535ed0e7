/**
 * Names of XML elements and attributes (XML 1.0 §2.3), without colons. Characters above U+FFFF, which the fifth
 * edition takes into names, are left out: many parsers go by the fourth.
 */

const START =
  'A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}'
const isStart = new RegExp(`^[${START}]$`, 'u')
const isPart = new RegExp(`^[${START}0-9.\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}-]$`, 'u')

/** `text` as a name; what no name may hold there is written as `_xHHHH_`, its code in hex. */
export function xmlName(text: string): string {
  if (text === '') return '_'
  const parts = [...text].map((char, at) => {
    const isFine = at === 0 ? isStart.test(char) : isPart.test(char)
    return isFine ? char : escaped(char)
  })
  return parts.join('')
}

function escaped(char: string): string {
  const code = char.codePointAt(0) ?? 0
  return `_x${code.toString(16).toUpperCase().padStart(4, '0')}_`
}
