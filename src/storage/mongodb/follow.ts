/**
 * Tells those who wait that the log has grown: a change stream on the events, opened when somebody waits for
 * the first time. A single server has none, and one may break: whoever waits looks again every second then,
 * late, but nothing is missed.
 */
import type { ChangeStream } from 'mongodb'
import { Bell } from '../../kit/bell.ts'
import type { Connection } from './connection.ts'

/** Longest time in ms between two looks, with and without somebody who tells. */
const TOLD_MS = 20_000
const UNTOLD_MS = 1000

export class Follower {
  private readonly connection: Connection
  private readonly bell = new Bell()
  private opened: ChangeStream | undefined
  private isTold = false
  private watching: Promise<void> | undefined
  private isClosed = false

  constructor(connection: Connection) {
    this.connection = connection
  }

  ring(): void {
    this.bell.ring()
  }

  /**
   * Resolves when `count` may have been passed; later than that by a second at most.
   * @param head the count of the log, read anew
   */
  async waitForMore(
    count: number,
    head: () => Promise<number>,
    signal: AbortSignal,
  ): Promise<void> {
    this.watching ??= this.watch().finally(() => {
      this.watching = undefined
    })
    // Rings from here on are heard; what came before is in the head.
    const waiting = new AbortController()
    const stop = () => waiting.abort()
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const rung = this.bell.wait(this.isTold ? TOLD_MS : UNTOLD_MS, waiting.signal)
    try {
      if ((await head()) > count) return
      await rung
    } finally {
      stop()
      signal.removeEventListener('abort', stop)
    }
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.bell.ring()
    await this.opened?.close().catch(() => undefined)
    await this.watching
  }

  /** Until the stream of changes ends; the next one who waits begins a new one. */
  private async watch(): Promise<void> {
    try {
      if (this.isClosed || !(await this.connection.hasChangeStreams())) return
      const { events } = this.connection.collections
      const changes = events.watch([{ $project: { _id: 1 } }], { batchSize: 1000 })
      this.opened = changes
      // It begins with the first question; only then may anybody rely on it.
      await changes.tryNext()
      this.isTold = true
      this.bell.ring()
      while (!this.isClosed && !changes.closed) {
        if (await changes.tryNext()) this.bell.ring()
      }
    } catch {
      // Whoever waits looks again by himself, and tries to be told again.
    } finally {
      this.isTold = false
      await this.opened?.close().catch(() => undefined)
      this.bell.ring()
    }
  }
}
