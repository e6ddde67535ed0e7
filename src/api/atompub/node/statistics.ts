/** `GET /stats`: what the process knows of itself, as a tree, a branch of it, or flat. */
import { AppError } from '../../../domain/app-error.ts'
import type { EventLog } from '../../../domain/event-log.ts'
import type { Clock } from '../../../domain/ports.ts'
import type { Handler } from '../../../http/handler.ts'
import { isJsonObject } from '../../../kit/json-object.ts'
import { indentedJson } from '../json-document.ts'

/** What is known of the process that answers. */
export type NodeFacts = {
  readonly clock: Clock
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly startedAtMs: number
  /** Bytes of memory it holds. */
  readonly memoryBytes: () => number
}

type Tree = { readonly [name: string]: Tree | number | string }

export function readStatistics(events: EventLog, facts: NodeFacts): Handler {
  return async (_request, { parameters, query }) => {
    const names = (parameters['*'] ?? '').split('/').filter((name) => name !== '')
    const branch = names.reduce<Tree[string] | undefined>(child, await treeOf(events, facts))
    if (branch === undefined) {
      throw new AppError('route-not-found', 'There are no statistics of this name')
    }
    const isFlat = query.get('group') === 'false' && isJsonObject(branch)
    const shown = isFlat ? Object.fromEntries(leavesOf(branch as Tree, '')) : branch
    const told = query.get('metadata') === 'true' ? withMetadata(shown) : shown
    return indentedJson(200, told, { 'cache-control': 'max-age=1, private' })
  }
}

async function treeOf(events: EventLog, facts: NodeFacts): Promise<Tree> {
  const { count } = await events.head()
  const { clock, startedAtMs, memoryBytes } = facts
  return {
    proc: {
      startTime: new Date(startedAtMs).toISOString(),
      upTime: Math.max(0, clock.now() - startedAtMs) / 1000,
      mem: memoryBytes(),
    },
    es: { events: count },
  }
}

function child(branch: Tree[string] | undefined, name: string): Tree[string] | undefined {
  return isJsonObject(branch) && Object.hasOwn(branch, name) ? (branch as Tree)[name] : undefined
}

function leavesOf(tree: Tree, before: string): [string, number | string][] {
  return Object.entries(tree).flatMap(([name, value]): [string, number | string][] =>
    typeof value === 'object' ? leavesOf(value, `${before}${name}-`) : [[before + name, value]],
  )
}

function withMetadata(value: unknown): unknown {
  if (!isJsonObject(value)) return { value, title: null, unit: null }
  const members = Object.entries(value).map(([name, member]) => [name, withMetadata(member)])
  return Object.fromEntries(members)
}
