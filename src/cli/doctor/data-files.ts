/** Everything in the data folder: whose is it, may its owner use it, and may others look into it? */
import fs from 'node:fs'
import { join } from 'node:path'
import { systemUser } from '../system-user.ts'
import { type Check, ok, osCode, problem } from './check.ts'

type Entry = {
  readonly path: string
  readonly uid: number
  readonly mode: number
  readonly isFolder: boolean
}

/** What is in the folder has to belong to the owner of the folder, to let that one in, and to be open to nobody else. */
export function checkDataFiles(folder: string): Check[] {
  const owner = fs.statSync(folder).uid
  const strangers: Entry[] = []
  const open: Entry[] = []
  const closed: Entry[] = []
  let count = 0
  try {
    for (const entry of entriesBelow(folder)) {
      count++
      if (entry.uid !== owner) strangers.push(entry)
      if ((entry.mode & 0o066) !== 0) open.push(entry)
      if (isClosed(entry)) closed.push(entry)
    }
  } catch (error) {
    const fix = `Make everything in it the property of one user, who may look at it: chown -R USER ${folder}; chmod -R u+rwX ${folder}`
    return [problem('data files', `not all of ${folder} can be looked at (${osCode(error)})`, fix)]
  }
  return [
    checkOwners(folder, { owner, count, strangers }),
    checkModes(folder, count, open),
    checkRights(folder, count, closed),
  ]
}

/** By the bits of the mode: root, who may be asking, could do everything. */
function isClosed({ mode, isFolder }: Entry): boolean {
  const needed = isFolder ? 0o700 : 0o600
  return (mode & needed) !== needed
}

function* entriesBelow(folder: string): Generator<Entry> {
  for (const name of fs.readdirSync(folder)) {
    const path = join(folder, name)
    const stat = fs.lstatSync(path, { throwIfNoEntry: false })
    if (!stat) continue
    const isFolder = stat.isDirectory()
    // What a link says of itself nobody asks.
    yield { path, uid: stat.uid, mode: stat.isSymbolicLink() ? 0o600 : stat.mode, isFolder }
    if (isFolder) yield* entriesBelow(path)
  }
}

type Owners = {
  readonly owner: number
  readonly count: number
  readonly strangers: readonly Entry[]
}

function checkOwners(folder: string, { owner, count, strangers }: Owners): Check {
  const name = 'owner of data files'
  const [first] = strangers
  if (!first) return ok(name, `user ${systemUser(owner)} owns all ${count}`)
  return problem(
    name,
    `${strangers.length} of ${count} do not belong to user ${systemUser(owner)}, who owns the folder; ${first.path} belongs to user ${systemUser(first.uid)}`,
    `Give them to the user that the web server runs the program as: chown -R USER ${folder}`,
  )
}

function checkModes(folder: string, count: number, open: readonly Entry[]): Check {
  const name = 'mode of data files'
  const [first] = open
  if (!first) return ok(name, `nobody else can read or write any of the ${count}`)
  return problem(
    name,
    `others may read or write ${open.length} of ${count}; ${first.path} has mode ${modeText(first)}`,
    `chmod -R go-rwx ${folder}`,
  )
}

function checkRights(folder: string, count: number, closed: readonly Entry[]): Check {
  const name = 'rights on data files'
  const [first] = closed
  if (!first) return ok(name, `their owner can read and write all ${count}`)
  return problem(
    name,
    `their owner may not read or write ${closed.length} of ${count}; ${first.path} has mode ${modeText(first)}`,
    `chmod -R u+rwX ${folder}`,
  )
}

const modeText = ({ mode }: Entry): string => (mode & 0o777).toString(8).padStart(3, '0')
