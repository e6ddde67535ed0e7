/** Everything in the data folder: whose is it, and may others look into it? */
import fs from 'node:fs'
import { join } from 'node:path'
import { systemUser } from '../system-user.ts'
import { type Check, ok, osCode, problem } from './check.ts'

type Entry = { readonly path: string; readonly uid: number; readonly mode: number }

/** What is in the folder has to belong to the owner of the folder, and to be open to nobody else. */
export function checkDataFiles(folder: string): Check[] {
  const owner = fs.statSync(folder).uid
  const strangers: Entry[] = []
  const open: Entry[] = []
  let count = 0
  try {
    for (const entry of entriesBelow(folder)) {
      count++
      if (entry.uid !== owner) strangers.push(entry)
      if ((entry.mode & 0o066) !== 0) open.push(entry)
    }
  } catch (error) {
    const fix = `Make everything in it the property of one user: chown -R USER ${folder}`
    return [problem('data files', `not all of ${folder} can be looked at (${osCode(error)})`, fix)]
  }
  return [checkOwners(folder, { owner, count, strangers }), checkModes(folder, count, open)]
}

function* entriesBelow(folder: string): Generator<Entry> {
  for (const name of fs.readdirSync(folder)) {
    const path = join(folder, name)
    const stat = fs.lstatSync(path, { throwIfNoEntry: false })
    if (!stat) continue
    yield { path, uid: stat.uid, mode: stat.isSymbolicLink() ? 0 : stat.mode }
    if (stat.isDirectory()) yield* entriesBelow(path)
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
  const mode = (first.mode & 0o777).toString(8).padStart(3, '0')
  return problem(
    name,
    `others may read or write ${open.length} of ${count}; ${first.path} has mode ${mode}`,
    `chmod -R go-rwx ${folder}`,
  )
}
