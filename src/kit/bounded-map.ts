/** A map that holds a bounded number of values: the youngest ones. */
export class BoundedMap<K, V> {
  private readonly values = new Map<K, V>()
  private readonly most: number

  /** @param most values it holds at most */
  constructor(most: number) {
    this.most = most
  }

  get(key: K): V | undefined {
    return this.values.get(key)
  }

  /** Puts a value in as the youngest, and drops the oldest one where there is no room. */
  set(key: K, value: V): void {
    this.values.delete(key)
    this.values.set(key, value)
    if (this.values.size <= this.most) return
    const [oldest] = this.values.keys()
    if (oldest !== undefined) this.values.delete(oldest)
  }
}
