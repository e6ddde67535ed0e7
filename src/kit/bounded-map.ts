/**
 * A map that holds a bounded number of values: those that were put in or asked for last.
 *
 * Two halves: what is used goes into the younger one, and once that is full the older one is dropped as a
 * whole. Taking out single values would leave holes in the order of a `Map`, and finding its oldest value
 * would cost the more the more of them there are.
 */
export class BoundedMap<K, V> {
  private younger = new Map<K, V>()
  private older = new Map<K, V>()
  private readonly half: number

  /** @param most values it holds at most, at least 2 */
  constructor(most: number) {
    this.half = Math.max(1, Math.floor(most / 2))
  }

  get(key: K): V | undefined {
    const young = this.younger.get(key)
    if (young !== undefined) return young
    const old = this.older.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  clear(): void {
    this.younger.clear()
    this.older.clear()
  }

  set(key: K, value: V): void {
    this.younger.set(key, value)
    if (this.younger.size < this.half) return
    this.older = this.younger
    this.younger = new Map()
  }
}
