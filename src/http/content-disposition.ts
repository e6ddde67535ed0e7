/**
 * `Content-Disposition` with a file name (RFC 6266, RFC 8187): an ASCII form that any client reads, and
 * beside it the exact name, percent-encoded, where the two differ.
 */
export function contentDisposition(kind: 'inline' | 'attachment', filename: string): string {
  const ascii = filename.replace(/[^\u0020-\u007e]|["\\%]/gu, '_')
  const plain = `${kind}; filename="${ascii}"`
  return ascii === filename ? plain : `${plain}; filename*=UTF-8''${encoded(filename)}`
}

/** `encodeURIComponent` leaves four characters alone that RFC 8187 does not allow. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
