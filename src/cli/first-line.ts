/** A password that came through a pipe: the first line, without its end. */
export function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? ''
}
