/** A flat XML document, read by `fast-xml-parser`: each child of the root is a member. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { AppError } from '../../../domain/app-error.ts'
import { isJsonObject } from '../../../kit/json-object.ts'

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  processEntities: false,
  removeNSPrefix: true,
})

/** @throws AppError `bad-field` */
export function readXmlMembers(text: string): [string, unknown][] {
  // Nothing that settings could say needs a DTD, and what one can do to a parser is well known.
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text) || XMLValidator.validate(text) !== true) throw badXml()
  const [root] = Object.values(parser.parse(text) as Record<string, unknown>)
  if (root === '') return []
  if (!isJsonObject(root)) throw badXml()
  return Object.entries(root).map(([name, value]) => [name, value === '' ? undefined : value])
}

function badXml(): AppError {
  return new AppError('bad-field', 'The body must be a well-formed XML document of settings', {
    field: '',
  })
}
