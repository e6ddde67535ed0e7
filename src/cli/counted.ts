/** A number with its noun in the plural, or in the singular of one: `1 event`. */
export function counted(count: number, plural: string): string {
  return `${count} ${count === 1 ? plural.replace(/s$/, '') : plural}`
}
