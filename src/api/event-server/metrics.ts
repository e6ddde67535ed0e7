/** The numbers of the store for Prometheus (text format 0.0.4). From indexes and records, without the events. */
import type { Offsets } from '../../domain/offsets.ts'
import type { Handler } from '../../http/handler.ts'
import { cutHeader } from './cut.ts'
import type { Streams } from './streams.ts'

type Parts = {
  readonly streams: Streams
  readonly offsets: Offsets
  readonly settings: { readonly maxStatisticsStreams: number }
}

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number }

export function readMetrics(parts: Parts): Handler {
  return async (_request, { principal }) => {
    const { maxStatisticsStreams } = parts.settings
    const { streams, isCut } = await parts.streams.list(principal, maxStatisticsStreams)
    const listed = new Set<string>(streams.map(({ stream }) => stream))
    const all = (await parts.offsets.list()).filter(({ stream }) => listed.has(stream))
    const consumers = new Map<string, Set<string>>()
    for (const { stream, consumer } of all) {
      consumers.set(stream, (consumers.get(stream) ?? new Set()).add(consumer))
    }
    const body = [
      metric('streams_total', 'gauge', 'Streams.', [{ labels: {}, value: streams.length }]),
      metric(
        'events_total',
        'counter',
        'Events of a stream; producerId is empty where nobody owns it.',
        streams.map(({ stream, owner = '', count }) => ({
          labels: { producerId: owner, stream },
          value: count,
        })),
      ),
      metric(
        'consumers_total',
        'gauge',
        'Consumers that have acknowledged events of a stream.',
        [...consumers].map(([stream, ids]) => ({ labels: { stream }, value: ids.size })),
      ),
      metric(
        'consumer_offset',
        'gauge',
        'Sequence of the last event that a consumer has acknowledged.',
        all.map(({ stream, consumer, eventType, offset }) => ({
          labels: { stream, consumerId: consumer, eventName: eventType },
          value: offset,
        })),
      ),
    ].join('')
    const type = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }
    const cut = cutHeader(isCut ? 'maxStatisticsStreams' : undefined)
    return { status: 200, headers: { ...type, ...cut }, body }
  }
}

function metric(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  samples: readonly Sample[],
): string {
  const lines = samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}
