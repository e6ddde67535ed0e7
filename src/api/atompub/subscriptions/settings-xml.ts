/** A flat XML document of settings: each child of the root is a member. */
import { AppError } from '../../../domain/app-error.ts'
import { parseXml, XmlError } from '../xml-to-json.ts'

/** Many more than there are settings. */
const LIMITS = { depth: 4, values: 1000, keys: 100 }

/** @throws AppError `bad-field` */
export function readXmlMembers(text: string): [string, unknown][] {
  try {
    const { children } = parseXml(text, LIMITS)
    return children.map(({ name, text: value }) => [name, value.trim() || undefined])
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new AppError('bad-field', `The body is no XML: ${error.message}`, { field: '' }, error)
  }
}
