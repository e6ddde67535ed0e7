/** The package has no types of its own. */
declare module 'parse-prometheus-text-format' {
  type Sample = { readonly value: string; readonly labels?: Readonly<Record<string, string>> }
  type Family = {
    readonly name: string
    readonly type: string
    readonly metrics: readonly Sample[]
  }
  // biome-ignore lint/style/noDefaultExport: the package has one
  export default function parsePrometheus(text: string): readonly Family[]
}
