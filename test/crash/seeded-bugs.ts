/**
 * Mistakes that somebody could make in the file engine, as changes of its source. A test build made with
 * `APIE_SEEDED_BUG=<name>` has one of them; the named test must then fail. The product never holds them.
 */
import { readFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'

export type SeededBug = {
  readonly name: string
  /** Under `src/storage/file/`. */
  readonly file: string
  /** Texts that stand there exactly once, and what stands there instead. */
  readonly changes: readonly (readonly [from: string, to: string])[]
  /** The test that catches it: a file of this folder, and the name of the test. */
  readonly caughtBy: readonly [file: string, test: string]
  /** How much of that test is enough, as `APIE_CRASH_SCALE`. */
  readonly scale: number
}

const POWER = ['power-loss.test.ts', 'power that goes before any change'] as const
const NO_LOCK = ['kills.test.ts', 'acknowledged appends without any lock'] as const

export const SEEDED_BUGS: readonly SeededBug[] = [
  {
    name: 'no-sync',
    file: 'log-follower.ts',
    changes: [['if (this.segment) await this.syncs.sync(this.segment)', '']],
    caughtBy: POWER,
    scale: 0.02,
  },
  {
    name: 'head-before-sync',
    file: 'appender.ts',
    changes: [
      [
        'const synced = this.follower.makeDurable()',
        'const { follower } = this\n    const synced = Promise.resolve(void (follower.durable = follower.point.count))\n      .then(() => follower.exclusive(() => follower.writeIndex()))\n      .then(() => follower.syncs.sync(follower.segment as never))\n      ',
      ],
    ],
    caughtBy: POWER,
    scale: 0.02,
  },
  {
    name: 'offset-not-checked',
    file: 'log-line.ts',
    changes: [
      [
        'const offsetEnd = numberEnd(line, 2 * HASH + 2, offset)',
        'const offsetEnd = line.indexOf(TAB, 2 * HASH + 2)',
      ],
    ],
    caughtBy: NO_LOCK,
    scale: 0.05,
  },
  {
    name: 'hash-not-checked',
    file: 'log-line.ts',
    changes: [['hash === undefined || hash !== stated', 'hash === undefined']],
    caughtBy: ['damage.test.ts', 'without an index, what is served'],
    scale: 0.05,
  },
  {
    name: 'link-not-checked',
    file: 'log-line.ts',
    changes: [['previous === point.hash && numberEnd(', 'numberEnd(']],
    caughtBy: ['structure.test.ts', 'a log that was rearranged serves nothing else'],
    scale: 0.2,
  },
  {
    name: 'position-not-checked',
    file: 'log-line.ts',
    changes: [
      [
        'previous === point.hash && numberEnd(line, offsetEnd + 1, point.count) === positionEnd',
        'previous === point.hash && positionEnd > 0',
      ],
    ],
    caughtBy: ['damage.test.ts', 'a changed byte is reported'],
    scale: 0.05,
  },
  {
    name: 'index-out-of-order',
    file: 'log-index.ts',
    changes: [
      [
        'entry.setLane(lane, number + 1, previous, skip)',
        'entry.setLane(lane, number + 1, skip, previous)',
      ],
    ],
    caughtBy: ['structure.test.ts', 'an index of any bytes'],
    scale: 0.05,
  },
  {
    name: 'tail-cut-off',
    file: 'log-tail.ts',
    changes: [
      [
        "  return last[0] === LF ? '' : VOID_MARK\n",
        `  const path = options.layout.segments + '/' + String(segment.number).padStart(8, '0') + '.log'
  process.getBuiltinModule('node:fs').truncateSync(path, size - voidBytes)
  return ''\n`,
      ],
    ],
    caughtBy: ['pauses.test.ts', 'a writer that is stopped at the end of a torn line'],
    scale: 0.17,
  },
  {
    name: 'answered-before-sync',
    file: 'appender.ts',
    changes: [
      [
        '    const plans = this.written.splice(0)\n',
        '    const plans = this.written.splice(0)\n    for (const plan of plans) answer(plan)\n',
      ],
    ],
    caughtBy: POWER,
    scale: 0.02,
  },
  {
    name: 'folder-not-synced',
    file: 'durable-write.ts',
    changes: [
      [
        '    const isNew = disk.link(from, path)\n    await disk.syncFolder(dirname(path))\n',
        '    const isNew = disk.link(from, path)\n',
      ],
    ],
    caughtBy: POWER,
    scale: 0.02,
  },
  {
    name: 'write-not-read-back',
    file: 'log-tail.ts',
    changes: [
      [
        'disk.readAt(segment.fd, found, size) === bytes.length && found.equals(bytes)',
        'disk.readAt(segment.fd, found, size) >= 0',
      ],
    ],
    caughtBy: NO_LOCK,
    scale: 0.05,
  },
  {
    name: 'short-write-ignored',
    file: 'log-tail.ts',
    changes: [
      [
        'if (isShort) return { isWhole: false, isShort }',
        'if (isShort) return { isWhole: true, isShort: false }',
      ],
    ],
    caughtBy: ['faults.test.ts', 'of a write that took k of n bytes nothing counts'],
    scale: 0.1,
  },
  {
    name: 'lock-released-before-write',
    file: 'appender.ts',
    changes: [
      [
        '    try {\n      return await follower.exclusive(() => this.writeBatch(',
        '    try {\n      lock.release()\n      return await follower.exclusive(() => this.writeBatch(',
      ],
    ],
    caughtBy: ['races.test.ts', 'twenty writers at once all get their turn'],
    scale: 1,
  },
  {
    name: 'line-lost-between-chunks',
    file: 'line-pieces.ts',
    changes: [['      at += bytes.length\n', '      at += count\n']],
    caughtBy: ['index.test.ts', 'of a file that is larger than what is read at once'],
    scale: 1,
  },
  {
    name: 'index-believed-after-a-restart',
    file: 'head-file.ts',
    changes: [
      ["return head.boot === boot && boot !== '' ? head.point : head.synced", 'return head.point'],
    ],
    caughtBy: POWER,
    scale: 0.02,
  },
  {
    name: 'retry-answered-before-it-counts',
    file: 'appender.ts',
    changes: [['retries: retries.filter(holds)', 'retries']],
    caughtBy: ['races.test.ts', 'an event that is sent again and again'],
    scale: 0.3,
  },
]

/** The bug that this run was asked to have. */
export function seededBug(): SeededBug | undefined {
  const name = process.env['APIE_SEEDED_BUG']
  if (!name) return undefined
  const bug = SEEDED_BUGS.find((one) => one.name === name)
  if (!bug) throw new Error(`There is no seeded bug "${name}"`)
  return bug
}

/** The source with the bug in it, or as it is where the bug is about another file. */
export function withBug(bug: SeededBug, path: string, source: string): string {
  if (!path.endsWith(`/src/storage/file/${bug.file}`)) return source
  let changed = source
  for (const [from, to] of bug.changes) {
    const parts = changed.split(from)
    if (parts.length !== 2) throw new Error(`${bug.name}: not once in ${bug.file}: ${from}`)
    changed = parts.join(to)
  }
  return changed
}

/** For bundles of programs that tests start. */
export function seedingPlugin(): Plugin {
  const bug = seededBug()
  return {
    name: 'seeded-bug',
    setup({ onLoad }) {
      if (!bug) return
      onLoad({ filter: /\/src\/storage\/file\/.*\.ts$/ }, ({ path }) => ({
        contents: withBug(bug, path, readFileSync(path, 'utf8')),
        loader: 'ts',
      }))
    },
  }
}
