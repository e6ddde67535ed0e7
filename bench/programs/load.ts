/** Loads what a CGI request loads and ends: the difference to `hello` is the price of the program's text. */
import fs from 'node:fs'
import { serveCgi } from '../../src/gateway/cgi.ts'
import { loadSettings } from '../../src/program-files.ts'
import { openFileStore } from '../../src/storage/file/engine.ts'
import { openAppOrRefuse } from '../../src/wire.ts'

const loaded = [serveCgi, loadSettings, openFileStore, openAppOrRefuse].length
fs.writeSync(1, `loaded ${loaded}\n`)
process.exit(0)
