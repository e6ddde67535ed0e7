/** The growth of a log as a picture: appends a second and the longest append of each step, as SVG. */
import type { GrowthStep } from './filled-store.ts'

const WIDTH = 760
const PANEL = 170
const LEFT = 80
const RIGHT = 20
const TOP = 40
const GAP = 60

type Panel = {
  readonly title: string
  readonly colour: string
  readonly value: (step: GrowthStep) => number
  /** A line across the panel, with its name. */
  readonly mark?: { readonly at: number; readonly name: string }
}

const PANELS: readonly Panel[] = [
  { title: 'appends a second', colour: '#2563a8', value: ({ perSecond }) => perSecond },
  {
    title: 'longest append, ms',
    colour: '#b4541f',
    value: ({ worstMs }) => worstMs,
    mark: { at: 250, name: 'limit' },
  },
]

export function growthPicture(growth: readonly GrowthStep[]): string {
  const last = growth.at(-1)?.events ?? 1
  const height = TOP + PANELS.length * (PANEL + GAP)
  const panels = PANELS.map((panel, index) =>
    drawPanel(panel, growth, last, TOP + index * (PANEL + GAP)),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
<text x="${LEFT}" y="20" font-size="14">A log growing to ${grouped(last)} events, 64 appends at a time, synced</text>
${panels.join('\n')}
</svg>
`
}

function drawPanel(panel: Panel, growth: readonly GrowthStep[], last: number, top: number): string {
  const most = niceAbove(Math.max(panel.mark?.at ?? 0, ...growth.map(panel.value)))
  const x = (events: number): number => LEFT + (events / last) * (WIDTH - LEFT - RIGHT)
  const y = (value: number): number => top + PANEL - (value / most) * (PANEL - 20)
  const points = growth.map(
    (step) => `${x(step.events).toFixed(1)},${y(panel.value(step)).toFixed(1)}`,
  )
  const parts = [
    `<text x="${LEFT}" y="${top + 10}" fill="${panel.colour}">${panel.title}</text>`,
    ...[0, 0.5, 1].map((part) => line(y(part * most), '#dddddd', grouped(part * most))),
    ...[0, 0.25, 0.5, 0.75, 1].map((part) => tick(x(part * last), top + PANEL, part * last)),
    ...(panel.mark ? [line(y(panel.mark.at), '#999999', panel.mark.name, '4 4')] : []),
    `<polyline points="${points.join(' ')}" fill="none" stroke="${panel.colour}" stroke-width="1.5"/>`,
  ]
  return parts.join('\n')
}

function line(y: number, colour: string, label: string, dashes = 'none'): string {
  return (
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="${colour}" stroke-dasharray="${dashes}"/>` +
    `<text x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${label}</text>`
  )
}

function tick(x: number, y: number, events: number): string {
  return `<text x="${x}" y="${y + 16}" text-anchor="middle">${grouped(events)}</text>`
}

/** 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)))
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power
}

function grouped(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}
