/** A progress bar for long work; only where standard error is a terminal, and loaded only then. */
import type { Progress } from '../domain/ports.ts'
import type { Terminal } from './terminal.ts'

/** Runs `work` and shows how far it is. */
export async function withProgress<T>(
  terminal: Terminal,
  label: string,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  if (!terminal.isInteractive) return work(() => undefined)
  const { Presets, SingleBar } = await import('cli-progress')
  const bar = new SingleBar(
    {
      format: `${label} {bar} {percentage}% | {value}/{total} | {eta_formatted} left`,
      hideCursor: true,
    },
    Presets.shades_classic,
  )
  bar.start(0, 0)
  try {
    return await work((done, total) => {
      bar.setTotal(total)
      bar.update(done)
    })
  } finally {
    bar.stop()
  }
}
