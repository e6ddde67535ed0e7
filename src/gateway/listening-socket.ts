/** Tells the socket that a FastCGI process manager hands over from any other socket. */
import fs from 'node:fs'

/** `__SO_ACCEPTCON` in the flags of `/proc/net/unix`. */
const ACCEPTS = 0x1_0000
/** `TCP_LISTEN` in the state of `/proc/net/tcp`. */
const LISTENS = '0A'

/**
 * Whether a file descriptor is a socket that waits for connections. A connected one, as parents and remote
 * shells give it to their children, is none. Node cannot ask the socket, so the kernel's tables are read;
 * where they cannot be, the answer is no.
 */
export function isListeningSocket(fd: number): boolean {
  try {
    const stat = fs.fstatSync(fd)
    if (!stat.isSocket()) return false
    return isListed(stat.ino, rows('unix'), rows('tcp'), rows('tcp6'))
  } catch {
    return false
  }
}

function isListed(inode: number, unix: Rows, ...tcp: readonly Rows[]): boolean {
  const id = String(inode)
  return (
    unix.some((row) => row[6] === id && (Number.parseInt(`${row[3]}`, 16) & ACCEPTS) !== 0) ||
    tcp.some((table) => table.some((row) => row[9] === id && row[3] === LISTENS))
  )
}

type Rows = readonly (readonly string[])[]

function rows(table: string): Rows {
  try {
    const lines = fs.readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1)
    return lines.map((line) => line.trim().split(/\s+/))
  } catch {
    return []
  }
}
