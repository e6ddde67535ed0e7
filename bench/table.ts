/** Rows as text for a terminal and as Markdown for `docs/speed.md`. */
import { isKept, type Row } from './measurement.ts'

export function textTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [row.what, valueText(row), limitText(row), verdict(row)])
  const widths = [0, 1, 2].map((at) => Math.max(0, ...cells.map((line) => line[at]?.length ?? 0)))
  return cells
    .map(([what = '', value = '', limit = '', kept = '']) => {
      const [a = 0, b = 0, c = 0] = widths
      return `  ${what.padEnd(a)}  ${value.padStart(b)}  ${limit.padEnd(c)}  ${kept}`.trimEnd()
    })
    .join('\n')
}

export function markdownTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const note = row.note === undefined ? row.what : `${row.what} (${row.note})`
    return `| ${note} | ${valueText(row)} | ${limitText(row)} | ${verdict(row)} |`
  })
  return ['| what | figure | wanted | |', '|---|---:|---|---|', ...lines].join('\n')
}

function valueText({ value, unit }: Row): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 && unit !== '×' ? 1 : 2
  return `${value.toFixed(digits)} ${unit}`
}

function limitText({ limit, unit }: Row): string {
  if (limit === undefined) return ''
  return 'atMost' in limit ? `≤ ${limit.atMost} ${unit}` : `≥ ${limit.atLeast} ${unit}`
}

function verdict(row: Row): string {
  const kept = isKept(row)
  return kept === undefined ? '' : kept ? 'kept' : 'MISSED'
}
