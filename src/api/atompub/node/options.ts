/** `GET /info/options`: the settings of the node, for operators. Paths and addresses stay hidden. */
import { requireOps } from '../../../domain/access.ts'
import type { Handler } from '../../../http/handler.ts'
import { indentedJson } from '../json-document.ts'

/** A setting as it is told. */
export type ToldSetting = {
  readonly name: string
  readonly description: string
  /** Absent: a text that could name a path, an address or an account. */
  readonly value?: string
  readonly possibleValues?: readonly string[]
}

const HIDDEN = '********'

export function readOptions(settings: readonly ToldSetting[]): Handler {
  return async (_request, { principal }) => {
    requireOps(principal)
    const options = settings.map(({ name, description, value, possibleValues }) => ({
      name,
      description,
      group: 'Application Options',
      value: value ?? HIDDEN,
      possibleValues: possibleValues ?? null,
    }))
    return indentedJson(200, options)
  }
}
