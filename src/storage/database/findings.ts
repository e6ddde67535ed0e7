/** What a check of a database tells. Defects of a log as they are met: as many as anybody reads, and whether there are more. */
import type { ContentHash, Finding, VerifyReport } from '../../domain/ports.ts'

export const MOST_FINDINGS = 1000

export class Findings {
  private readonly found: Finding[] = []
  private hasMore = false

  readonly damage = (message: string, position: number, hash?: string): void => {
    if (this.found.length < MOST_FINDINGS) {
      this.found.push({ kind: 'damage', message, position, ...(hash && { hash }) })
    } else {
      this.hasMore = true
    }
  }

  report(counts: VerifyReport['counts']): VerifyReport {
    return { counts, findings: this.found, ...(this.hasMore && { mayHaveMore: true }) }
  }
}

export const damageOfContent = (hash: ContentHash): Finding => ({
  kind: 'damage',
  message: 'The bytes do not have their hash',
  hash,
})
