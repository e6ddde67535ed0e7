/**
 * The driver's client, but one that leaves nothing open: a connection that is refused while it is made stays until
 * the database ends it, and one that is to end waits for a database that has fallen silent; both keep a process alive.
 */
import { Client } from 'pg'

type Open = { readonly stream: { destroy(): void } }

/** Longest wait, ms, for the other side to end a connection. */
const END_MS = 1000

export class TidyClient extends Client {
  override connect(): Promise<Client>
  override connect(callback: (error: Error | null, client?: Client) => void): void
  override connect(
    callback?: (error: Error | null, client?: Client) => void,
  ): Promise<Client> | undefined {
    const done = new Promise<Client>((resolve, reject) => {
      super.connect((error: Error | null) => {
        if (error) this.cut()
        callback?.(error, this)
        if (error) reject(error)
        else resolve(this)
      })
    })
    if (!callback) return done
    done.catch(() => undefined)
    return undefined
  }

  override end(): Promise<void>
  override end(callback: () => void): void
  override end(callback?: () => void): Promise<void> | undefined {
    const timer = setTimeout(() => this.cut(), END_MS)
    const done = super.end().finally(() => clearTimeout(timer))
    if (!callback) return done
    void done.then(callback)
    return undefined
  }

  private cut(): void {
    // The driver's types do not tell of it.
    const { connection } = this as unknown as { readonly connection: Open }
    connection.stream.destroy()
  }
}
