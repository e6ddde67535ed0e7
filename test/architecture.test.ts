/**
 * Which folder of `src/` may import what, as a table. A request goes through the folders from left to right:
 * gateway → http → api → domain → storage; the domain knows none of the others, and the platform stays at the
 * rim.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

type Rule = {
  /** Files the rule is about: the first rule whose prefix fits counts. */
  readonly files: string
  /** Prefixes of our own files that they may import, besides their own folder. */
  readonly ours: readonly string[]
  /** Modules from outside that they may import. */
  readonly outside: readonly string[]
}

const RULES: readonly Rule[] = [
  { files: 'kit/', ours: [], outside: ['node:crypto', 'bcryptjs'] },
  { files: 'domain/', ours: ['kit/'], outside: [] },
  {
    files: 'storage/open.ts',
    ours: ['storage/', 'domain/', 'kit/', 'settings.ts'],
    outside: [],
  },
  {
    files: 'storage/file/disk.ts',
    ours: ['domain/', 'kit/'],
    outside: ['node:fs', 'node:path'],
  },
  {
    files: 'storage/file/index-beside.ts',
    ours: ['domain/', 'kit/'],
    outside: ['node:worker_threads'],
  },
  {
    files: 'storage/file/index-thread.ts',
    ours: ['domain/', 'kit/'],
    outside: ['node:os', 'node:worker_threads'],
  },
  {
    files: 'storage/file/lock.ts',
    ours: ['domain/', 'kit/'],
    outside: ['node:path', 'proper-lockfile'],
  },
  { files: 'storage/file/', ours: ['domain/', 'kit/'], outside: ['node:path'] },
  { files: 'storage/memory/', ours: ['domain/', 'kit/'], outside: [] },
  { files: 'storage/database/', ours: ['domain/', 'kit/'], outside: [] },
  { files: 'storage/postgres/', ours: ['storage/database/', 'domain/', 'kit/'], outside: ['pg'] },
  {
    files: 'storage/mongodb/',
    ours: ['storage/database/', 'domain/', 'kit/'],
    outside: ['mongodb'],
  },
  {
    files: 'http/',
    ours: ['domain/', 'kit/'],
    outside: ['negotiator', 'range-parser', 'regexparam'],
  },
  { files: 'api/apie/', ours: ['http/', 'domain/', 'kit/'], outside: [] },
  {
    files: 'api/atompub/',
    ours: ['http/', 'domain/', 'kit/'],
    outside: ['fast-xml-parser'],
  },
  { files: 'api/admin/', ours: ['http/', 'domain/', 'kit/'], outside: [] },
  {
    files: 'broker/',
    ours: ['domain/', 'kit/'],
    outside: ['node:fs', 'node:http', 'node:https', 'node:net', 'node:process'],
  },
  {
    files: 'api/event-server/',
    ours: ['http/', 'domain/', 'kit/'],
    outside: [],
  },
  {
    files: 'gateway/',
    ours: ['http/handler.ts', 'http/message.ts', 'domain/app-error.ts', 'kit/'],
    outside: ['node:fs', 'node:http', 'node:net'],
  },
  {
    files: 'cli/',
    ours: [
      'domain/',
      'kit/',
      'gateway/',
      'broker/',
      'settings.ts',
      'program-version.ts',
      'program-files.ts',
      'http/message.ts',
    ],
    outside: [
      'cli-progress',
      'node:fs',
      'node:http',
      'node:https',
      'node:os',
      'node:path',
      'node:process',
      'node:tty',
      'node:util',
    ],
  },
  { files: 'settings.ts', ours: [], outside: [] },
  {
    files: 'config.ts',
    ours: ['settings.ts', 'domain/app-error.ts', 'domain/name.ts', 'kit/'],
    outside: [],
  },
  { files: 'program-version.ts', ours: [], outside: [] },
  { files: 'program-stack.ts', ours: [], outside: ['node:module'] },
  {
    files: 'program-log.ts',
    ours: ['kit/', 'domain/', 'storage/file/disk.ts'],
    outside: [],
  },
  {
    files: 'program-files.ts',
    ours: ['config.ts', 'settings.ts', 'kit/', 'domain/', 'storage/file/disk.ts'],
    outside: ['node:path'],
  },
  { files: 'program-user.ts', ours: [], outside: ['node:fs', 'node:path'] },
  { files: 'told-settings.ts', ours: ['settings.ts'], outside: [] },
  {
    files: 'apis.ts',
    ours: ['api/', 'http/', 'domain/', 'settings.ts', 'told-settings.ts'],
    outside: [],
  },
  {
    files: 'wire.ts',
    ours: [
      'apis.ts',
      'http/',
      'domain/',
      'storage/',
      'kit/',
      'config.ts',
      'settings.ts',
      'program-',
    ],
    outside: [],
  },
  {
    files: 'main.ts',
    ours: ['wire.ts', 'config.ts', 'gateway/', 'cli/', 'program-', 'storage/file/disk.ts'],
    outside: ['node:process'],
  },
]

type Import = { readonly from: string; readonly to: string; readonly isOurs: boolean }

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
)

function importsOf(from: string): Import[] {
  const text = readFileSync(join(SRC, from), 'utf8')
  const found = text.matchAll(
    /^(?:import |\} from |(?:import|export) .*from )'([^']+)'|\bimport\('([^']+)'\)/gm,
  )
  return Array.from(found, ([, fixed, byNeed]) => {
    const name = fixed ?? byNeed ?? ''
    const isOurs = name.startsWith('.')
    const to = isOurs ? relative(SRC, join(SRC, dirname(from), name)) : name
    return { from, to, isOurs }
  })
}

const imports = files.flatMap(importsOf)

function ruleFor(file: string): Rule | undefined {
  return RULES.find(({ files: prefix }) => file.startsWith(prefix))
}

function isAllowed({ from, to, isOurs }: Import): boolean {
  const rule = ruleFor(from)
  if (!rule) return false
  if (!isOurs) return rule.outside.includes(to)
  const isOwn = rule.files.endsWith('/') && to.startsWith(rule.files)
  const isBeside = dirname(from) !== '.' && dirname(from) === dirname(to)
  return isOwn || isBeside || rule.ours.some((prefix) => to.startsWith(prefix))
}

test('every file of the sources has a rule', () => {
  expect(files.filter((file) => !ruleFor(file))).toEqual([])
})

test('a folder imports only what the table allows', () => {
  const broken = imports.filter((one) => !isAllowed(one))
  expect(broken.map(({ from, to }) => `${from} must not import ${to}`)).toEqual([])
})

test('imports form no circle', () => {
  const next = new Map<string, string[]>()
  for (const { from, to, isOurs } of imports) {
    if (isOurs) next.set(from, [...(next.get(from) ?? []), to])
  }
  const done = new Set<string>()
  const circle = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const to of next.get(file) ?? []) {
      const found = circle(to, [...path, file])
      if (found) return found
    }
    done.add(file)
    return undefined
  }
  for (const file of files) expect(circle(file, [])?.join(' → ')).toBeUndefined()
})
