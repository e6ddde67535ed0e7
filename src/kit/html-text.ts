/** Text as it stands in HTML, between tags or in a quoted attribute. */
export function htmlText(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`)
}
