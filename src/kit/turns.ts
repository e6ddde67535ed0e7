/** Runs pieces of work one after the other, in the order in which they are asked for. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve()

  /** Rejects as the work does, which keeps nobody behind it from their turn. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work)
    this.last = done.catch(() => {})
    return done
  }

  /** Resolves when all that was asked for so far is over, however it ends. */
  async over(): Promise<void> {
    await this.last
  }
}
