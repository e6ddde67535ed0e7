/** Users of the machine, as people know them. */
import fs from 'node:fs'

/** `www-data (33)`, or `33` where the machine has no name for it. */
export function systemUser(uid: number): string {
  const name = nameOf(uid)
  return name === undefined ? String(uid) : `${name} (${uid})`
}

function nameOf(uid: number): string | undefined {
  try {
    const lines = fs.readFileSync('/etc/passwd', 'utf8').split('\n')
    return lines.map((line) => line.split(':')).find((fields) => fields[2] === String(uid))?.[0]
  } catch {
    return undefined
  }
}
