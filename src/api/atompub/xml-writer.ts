/** XML text of element trees, without white space between the elements; written by `fast-xml-parser`. */
import { XMLBuilder, type XmlBuilderOptions } from 'fast-xml-parser'

/** Names that begin with `@` are attributes, `#text` is text beside them; a list comes once for each item. */
export type XmlElement = { readonly [name: string]: XmlValue | readonly XmlValue[] }
export type XmlValue = string | XmlElement

/** An element with nothing in it that is written as two tags. */
export const TWO_TAGS = '\u0000'

const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'

// biome-ignore lint/suspicious/noControlCharactersInRegex: exactly what XML 1.0 §2.2 cannot hold
const unwritable = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu

const writable = (text: string): string =>
  text === TWO_TAGS ? text : text.replace(unwritable, '\ufffd')

/** The type declarations of the library lack the last one. */
type Options = XmlBuilderOptions & {
  readonly entities: readonly { readonly regex: RegExp; readonly val: string }[]
}

const options: Options = {
  attributeNamePrefix: '@',
  ignoreAttributes: false,
  suppressBooleanAttributes: false,
  suppressEmptyNode: true,
  tagValueProcessor: (_name, value) => writable(String(value)),
  attributeValueProcessor: (_name, value) => writable(String(value)),
  entities: [
    { regex: /&/g, val: '&amp;' },
    { regex: /</g, val: '&lt;' },
    { regex: />/g, val: '&gt;' },
    { regex: /\r/g, val: '&#xD;' },
  ],
}

const builder = new XMLBuilder(options)

/** A document of one root element. */
export function writeXml(root: XmlElement): string {
  const text: string = builder.build(root)
  // No text and no value holds a bare `>`, so this meets tags only.
  return `${DECLARATION}${text.replaceAll('/>', ' />').replaceAll(TWO_TAGS, '')}`
}
