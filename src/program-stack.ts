/** Turns the places of a stack in the bundle into places in the TypeScript sources, by the source map. */
import type { SourceMapPayload } from 'node:module'

/** A frame's file, line and column, the line and column counted from 1. */
const place = /([^\s(]*apie\.cjs):([0-9]+):([0-9]+)/g

/**
 * @param mapText the source map, a JSON text; a stack that it cannot explain is given back as it is
 */
export function mapStack(stack: string, mapText: string | undefined): string {
  if (mapText === undefined) return stack
  try {
    // Asked for here, since a process that logs no stack need not load it.
    const { SourceMap } = process.getBuiltinModule('node:module')
    const map = new SourceMap(JSON.parse(mapText) as SourceMapPayload)
    return stack.replaceAll(place, (found, _file, line, column) => {
      const entry = map.findEntry(Number(line) - 1, Number(column) - 1)
      if (!('originalSource' in entry)) return found
      const source = entry.originalSource.replace(/^(\.\.\/)+/, '')
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
    })
  } catch {
    return stack
  }
}
