/**
 * The table of commands. Parsing, help and `docs/command-line.md` are made from it; each command is one
 * file, loaded when it runs.
 */
import type { Command, CommandOption } from './command.ts'

const JSON_OPTION: CommandOption = { name: 'json', doc: 'print one JSON document' }

export const COMMANDS: readonly Command[] = [
  {
    name: 'serve',
    words: '',
    wordCount: [0, 0],
    summary: 'serve HTTP without a web server',
    details: [
      'Answers the same requests as the program does in a cgi-bin. Makes the data folder where it is',
      'missing. SIGTERM or SIGINT stops it when what runs is finished; a second one at once.',
    ],
    options: [
      { name: 'host', value: 'H', doc: 'address to listen on', setting: 'host' },
      { name: 'port', value: 'N', doc: 'port to listen on; 0 picks one', setting: 'port' },
      {
        name: 'first-admin',
        value: 'NAME',
        doc: 'while there is no account: make this one an admin and print its new password',
      },
    ],
    failure: 'it could not listen, or the store could not be opened',
    run: async (call) => (await import('./serve.ts')).runServe(call),
  },
  {
    name: 'user',
    words: 'add|list|passwd|role|remove|import [NAME|FILE]',
    wordCount: [1, 2],
    summary: 'manage accounts',
    details: [
      'add NAME --role ROLE (--password-stdin | --generate): a new account.',
      'list [--json]: names and roles. passwd NAME (--password-stdin | --generate): a new password.',
      'role NAME --role ROLE: another role. remove NAME: the account is gone.',
      'import FILE [--role ROLE]: accounts from htpasswd or Apie passwd lines (bcrypt), as writers unless',
      'told otherwise; "-" reads standard input.',
      'A password that is made here is all that goes to standard output.',
    ],
    options: [
      { name: 'role', value: 'ROLE', doc: 'reader, writer or admin' },
      { name: 'password-stdin', doc: 'take the password from the first line of standard input' },
      { name: 'generate', doc: 'make a password of 128 random bits or more and print it once' },
      JSON_OPTION,
    ],
    failure: 'the account is there already, is not there, or is the last admin',
    run: async (call) => (await import('./user.ts')).runUser(call),
  },
  {
    name: 'verify',
    words: '',
    wordCount: [0, 0],
    summary: 'check every stored byte',
    details: [
      'Recomputes every hash, every link and every index entry, the records, and hashes all content',
      'again. Reads the whole store once and changes nothing.',
    ],
    options: [JSON_OPTION],
    failure: 'it found damage',
    run: async (call) => (await import('./verify.ts')).runVerify(call),
  },
  {
    name: 'reindex',
    words: '',
    wordCount: [0, 0],
    summary: 'rebuild the indexes from the log',
    details: [
      'Reads the whole log once. Meanwhile readers are asked to come back, never answered wrongly.',
    ],
    options: [],
    failure: 'the log could not be read or the indexes could not be written',
    run: async (call) => (await import('./reindex.ts')).runReindex(call),
  },
  {
    name: 'export',
    words: '[DIR]',
    wordCount: [0, 1],
    summary: 'write all events (and content) out',
    details: [
      'With DIR: a folder in the original Apie layout, content included; DIR must be missing or empty.',
      'Without: the events to standard output, one JSON document a line, in the order of the log.',
    ],
    options: [],
    failure: 'something could not be read or written',
    run: async (call) => (await import('./export.ts')).runExport(call),
  },
  {
    name: 'import',
    words: 'DIR',
    wordCount: [1, 1],
    summary: 'take over a folder in the original Apie layout',
    details: [
      'Reads DIR/events/default and DIR/media; where DIR has an "index" itself, DIR is the log alone.',
      'Every event is checked before anything is stored; texts and hashes stay as they are. The store must',
      'be empty or hold the beginning of the same history, so an import that broke off may be repeated.',
    ],
    options: [],
    failure: 'the folder is damaged, or the store holds another history',
    run: async (call) => (await import('./import.ts')).runImport(call),
  },
  {
    name: 'doctor',
    words: '',
    wordCount: [0, 0],
    summary: 'check this installation and say what to fix',
    details: [
      'Looks at the data folder, locks, syncs, limits and the executable. With --url it also asks the',
      'installed program over HTTP what the web server lets through. The data folder may be missing.',
    ],
    options: [
      { name: 'url', value: 'URL', doc: 'address of the installed program, to be asked over HTTP' },
      { name: 'user', value: 'NAME', doc: 'account for the questions to --url' },
      { name: 'password-stdin', doc: 'take its password from the first line of standard input' },
      JSON_OPTION,
    ],
    failure: 'something must be fixed',
    run: async (call) => (await import('./doctor/doctor.ts')).runDoctor(call),
  },
  {
    name: 'version',
    words: '',
    wordCount: [0, 0],
    summary: 'print version, commit and Node version',
    details: [],
    options: [JSON_OPTION],
    failure: 'never',
    run: async (call) => (await import('./version.ts')).runVersion(call),
  },
  {
    name: 'help',
    words: '[COMMAND]',
    wordCount: [0, 1],
    summary: 'print this list, or the help of a command',
    details: [],
    options: [{ name: 'markdown', doc: 'print docs/command-line.md: all commands and settings' }],
    failure: 'never',
    run: async (call) => (await import('./help.ts')).runHelp(call),
  },
]

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name)
}
