/**
 * `apie verify`: the log, the records and the content, every byte of them. It reports and never repairs.
 */
import type { Finding, Progress, Store, VerifyReport } from '../domain/ports.ts'
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
  await check('content', (progress) => store.content.verify(progress))
  const findings = Object.values(parts).flatMap((part) => part.findings)
  return { isClean: findings.every(({ kind }) => kind === 'notice'), parts }
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
