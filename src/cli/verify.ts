/**
 * `apie verify`: the log, the records and the content, every byte of them. It reports and never repairs.
 */
import type { Finding, Progress, Store, VerifyReport } from '../domain/ports.ts'
import { findPositionsAhead } from '../domain/positions-ahead.ts'
import { type CommandCall, EXIT } from './command.ts'
import { counted } from './counted.ts'
import { withProgress } from './progress.ts'
import type { Terminal } from './terminal.ts'

/** The reports of the three parts of a store, in the order in which they are made. */
export type StoreReport = {
  /** True where nothing is damaged and nothing needs repair. */
  readonly isClean: boolean
  readonly parts: Readonly<Record<string, VerifyReport>>
}

export async function runVerify(call: CommandCall): Promise<number> {
  const store = await call.services.openStore('existing')
  try {
    const report = await verifyStore(store, call.terminal)
    await call.terminal.out(call.options['json'] ? jsonReport(report) : textReport(report))
    return report.isClean ? EXIT.ok : EXIT.failed
  } finally {
    await store.close()
  }
}

export async function verifyStore(store: Store, terminal: Terminal): Promise<StoreReport> {
  const parts: Record<string, VerifyReport> = {}
  const check = async (name: string, verify: (progress: Progress) => Promise<VerifyReport>) => {
    parts[name] = await withProgress(terminal, `verify ${name}`, verify)
  }
  await check('log', (progress) => store.log.verify(progress))
  const { records } = store
  if (records.verify) await check('records', async (p) => (await records.verify?.(p)) ?? NOTHING)
  // Where a log ends can be said of a whole one alone, and looking at an index that is none would make it.
  if (Object.values(parts).every(isClean)) await addPositions(store, parts)
  await check('content', (progress) => store.content.verify(progress))
  return { isClean: Object.values(parts).every(isClean), parts }
}

const isClean = ({ findings }: VerifyReport) => findings.every(({ kind }) => kind === 'notice')

/** Positions that are listed one by one. */
const MOST_POSITIONS = 100

/** What consumers and groups have of the log is one of the records. */
async function addPositions(store: Store, parts: Record<string, VerifyReport>): Promise<void> {
  const ahead: Finding[] = []
  for await (const finding of findPositionsAhead({ ...store, clock: { now: () => Date.now() } })) {
    ahead.push(finding)
    if (ahead.length > MOST_POSITIONS) break
  }
  if (ahead.length === 0) return
  const { records = NOTHING } = parts
  parts['records'] = {
    ...records,
    findings: [...records.findings, ...ahead.slice(0, MOST_POSITIONS)],
    ...(ahead.length > MOST_POSITIONS && { mayHaveMore: true }),
  }
}

const NOTHING: VerifyReport = { counts: {}, findings: [] }

function jsonReport({ isClean, parts }: StoreReport): string {
  return `${JSON.stringify({ clean: isClean, ...parts })}\n`
}

/** For people: a line of counts a part, a line a finding, and the verdict last. */
export function textReport({ isClean, parts }: StoreReport): string {
  const lines: string[] = []
  for (const [name, { counts, findings, mayHaveMore }] of Object.entries(parts)) {
    const numbers = Object.entries(counts).map(([what, count]) => counted(count, words(what)))
    lines.push(`${name}: ${numbers.join(', ') || 'nothing to count'}`)
    for (const finding of findings) lines.push(`  ${findingText(finding)}`)
    if (mayHaveMore) lines.push('  there may be more: no further ones are listed')
  }
  lines.push(isClean ? 'clean' : verdict(Object.values(parts)))
  return `${lines.join('\n')}\n`
}

function verdict(parts: readonly VerifyReport[]): string {
  const kinds = parts.flatMap(({ findings }) => findings.map(({ kind }) => kind))
  const bad = kinds.filter((kind) => kind !== 'notice')
  const least = parts.some(({ mayHaveMore }) => mayHaveMore) ? 'at least ' : ''
  const count = `not clean: ${least}${counted(bad.length, 'findings')}`
  return bad.includes('damage') ? `${count}; only a backup brings back what is damaged` : count
}

function findingText({ kind, message, position, hash }: Finding): string {
  const place = [
    position === undefined ? '' : ` at position ${position}`,
    hash === undefined ? '' : ` (${hash})`,
  ].join('')
  return `${kind}${place}: ${message}`
}

/** `voidBytes` → `void bytes` */
function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
