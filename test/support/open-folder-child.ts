/** Child process: opens the data folder named in the arguments and prints the id of its store. */
import { syncDisk } from '../../src/storage/file/disk.ts'
import { openFolder } from '../../src/storage/file/folder.ts'

const [root = '', mode = 'create', user] = process.argv.slice(2)
if (user !== undefined) process.setuid?.(Number(user))
const options = { create: mode === 'create', allowUnsafe: false, clock: { now: () => Date.now() } }
openFolder(syncDisk, root, options).then(
  (folder) => process.stdout.write(folder?.storeId ?? 'none'),
  (error) => process.stdout.write(error.code),
)
