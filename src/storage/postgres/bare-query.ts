/**
 * A prepared statement of which only the number of rows is asked. The driver has the database describe the
 * columns of every answer and makes an object of each row, which whoever waits for one append after the other
 * pays for; this counts. The driver takes it as a query from outside (`Submittable`): it says when it is
 * its turn to be sent, and hands over what comes back.
 */
import type { PoolClient, Connection as Wire } from 'pg'

/** @param values bytes stay bytes; all else is written as text */
export function countRows(
  client: PoolClient,
  name: string,
  text: string,
  values: readonly unknown[],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const query = new BareQuery(name, text, values.map(wireValue), (error, rows) =>
      error ? reject(error) : resolve(rows),
    )
    client.query(query)
  })
}

type WireValue = string | Buffer | null

function wireValue(value: unknown): WireValue {
  if (value === undefined || value === null) return null
  return Buffer.isBuffer(value) ? value : String(value)
}

/** What the driver's connection has, and its types do not tell. */
type Messages = {
  readonly stream: { cork(): void; uncork(): void }
  /** The driver notes here, by `name` and `text` of a query, what it has prepared. */
  readonly parsedStatements: Readonly<Record<string, string | undefined>>
  parse(message: { readonly name: string; readonly text: string }): void
  bind(message: { readonly statement: string; readonly values: readonly WireValue[] }): void
  execute(): void
  sync(): void
}

class BareQuery {
  readonly name: string
  readonly text: string
  /** Under this name the driver wraps it where the URL limits the time of a query. */
  callback: (error: unknown, rows: number) => void
  private readonly values: readonly WireValue[]
  private rows = 0

  constructor(
    name: string,
    text: string,
    values: readonly WireValue[],
    callback: (error: unknown, rows: number) => void,
  ) {
    this.name = name
    this.text = text
    this.values = values
    this.callback = callback
  }

  submit(wire: Wire): void {
    const messages = wire as unknown as Messages
    const { name, text, values } = this
    // One packet.
    messages.stream.cork()
    if (messages.parsedStatements[name] === undefined) messages.parse({ name, text })
    messages.bind({ statement: name, values })
    messages.execute()
    messages.sync()
    messages.stream.uncork()
  }

  handleDataRow(): void {
    this.rows++
  }

  handleCommandComplete(): void {}

  handleError(error: unknown): void {
    this.callback(error, 0)
  }

  handleReadyForQuery(): void {
    this.callback(undefined, this.rows)
  }
}
