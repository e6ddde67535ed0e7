/**
 * Tells those who wait that the log has grown: one connection that listens to what every append notifies,
 * made when somebody waits for the first time. Where it breaks, or the database lets nobody listen (a pooler
 * in between), whoever waits looks again every second: late, but nothing is missed.
 */
import type { Client } from 'pg'
import { Bell } from '../../kit/bell.ts'
import type { Connection } from './connection.ts'

/** Longest time in ms between two looks, with and without somebody who tells. */
const TOLD_MS = 20_000
const UNTOLD_MS = 1000

export class Follower {
  private readonly connection: Connection
  private readonly bell = new Bell()
  private client: Client | undefined
  private listening: Promise<void> | undefined
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
    await this.listen()
    // Rings from here on are heard; what came before is in the head.
    const waiting = new AbortController()
    const stop = () => waiting.abort()
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    const rung = this.bell.wait(this.client ? TOLD_MS : UNTOLD_MS, waiting.signal)
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
    await this.listening
    const { client } = this
    this.client = undefined
    this.bell.ring()
    await client?.end().catch(() => undefined)
  }

  private async listen(): Promise<void> {
    if (this.client || this.isClosed) return
    this.listening ??= this.connect().finally(() => {
      this.listening = undefined
    })
    await this.listening
  }

  private async connect(): Promise<void> {
    const client = this.connection.ownClient()
    const lost = () => {
      if (this.client === client) this.client = undefined
      this.bell.ring()
    }
    client.on('error', lost)
    client.on('end', lost)
    client.on('notification', () => this.bell.ring())
    try {
      await client.connect()
      await client.query('LISTEN apie')
      this.client = client
    } catch {
      // Whoever waits looks again by himself, and tries to listen again.
      await client.end().catch(() => undefined)
    }
  }
}
