/**
 * The table of commands. Parsing, help and `docs/command-line.md` are made from it; each command is one
 * file, loaded when it runs.
 */
import { BROKER_COMMAND } from './broker/broker-command.ts'
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
      'missing. SIGTERM or SIGINT stops it when what runs is finished; a second one at once. Readers that wait',
      'for events (ES-LongPoll) get the answer that there is by then.',
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
    hasActions: true,
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
    summary: 'check every hash, link and index entry',
    details: [
      'Recomputes every hash, every link and every index entry, the records, and hashes all content',
      'again; finds consumers and subscription groups that are ahead of the log. Reads the whole store',
      'once and changes nothing but the mark of a failed sync, which it removes where the log is whole.',
      'No hash covers names, types and times of content, nor when the store was made (createdAt in the',
      'file "format"): a change of those is not found.',
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
      'Reads the whole log once. Meanwhile readers are asked to come back, never answered wrongly. Removes what',
      'a run that was killed has left, unless that was written to within 10 minutes: it may be at work still.',
      'Consumers and subscription groups that are ahead of the log, as a backup can have them, are set back to',
      'its end, so that they get what is stored from then on. Of a database that is all there is to do.',
    ],
    options: [],
    failure: 'the log could not be read or the indexes could not be written',
    run: async (call) => (await import('./reindex.ts')).runReindex(call),
  },
  {
    name: 'scavenge',
    words: '',
    wordCount: [0, 0],
    summary: 'remove what deleted events said',
    details: [
      'Removes body and metadata of events that cannot be seen in their streams any more: deleted, or left',
      'out by $tb, $maxCount or $maxAge. This cannot be undone. Ids, hashes and all else stay, and the chain',
      'can still be checked. Readers and writers go on meanwhile; a server may show them for a second more. The log',
      'can grow where what is left of small events takes more than their bodies did: bytesFreed is 0 then.',
      'Events that were scavenged before are not counted among those that it looks at ("events" of --json).',
    ],
    options: [JSON_OPTION],
    failure: 'the log could not be read or written; what was removed before stays removed',
    run: async (call) => (await import('./scavenge.ts')).runScavenge(call),
  },
  {
    name: 'export',
    words: '[DIR]',
    wordCount: [0, 1],
    summary: 'write all events (and content) out',
    details: [
      'With DIR: a folder in the original Apie layout, content included; DIR must be missing or empty.',
      'Without: the events to standard output, one JSON document a line, in the order of the log.',
      'What a scavenge removed is declared: in the folder, such an event is what is left of it behind "~" and a check.',
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
      'Accounts stay behind: "apie user import FILE" takes over those of the passwd file.',
    ],
    options: [],
    failure: 'the folder is damaged, or the store holds another history',
    run: async (call) => (await import('./import.ts')).runImport(call),
  },
  {
    name: 'migrate',
    words: '',
    wordCount: [0, 0],
    summary: 'make or upgrade the schema of a database',
    details: [
      'For an engine URL of a database: creates the tables in the first schema of the search path, or brings',
      'those of an older version up to date, in one transaction. Harmless where nothing is to be done; a',
      'schema newer than the program is refused. A store on flat files needs none of it. docs/engines.md',
      'tells more.',
    ],
    options: [],
    failure: 'the database could not be reached, or refused',
    run: async (call) => (await import('./migrate.ts')).runMigrate(call),
  },
  {
    name: 'copy',
    words: '',
    wordCount: [0, 0],
    summary: 'move a whole store between engines',
    details: [
      'Copies all events with their positions, hashes and texts, all content and all records to the store of',
      '--to, which is made where it is missing (a database needs "apie migrate" first). It must be empty or',
      'hold the beginning of the same history, so a copy that broke off may be repeated and goes on. Copy',
      'while nothing writes to the store of --from; what it got in between is taken over by a second copy.',
      'Accounts and other records of --to are replaced by those of --from, which must have accounts if --to',
      'has some. What was scavenged or deleted in --from since an earlier copy stays in --to: the summary',
      'tells of scavenged events, and "apie scavenge" removes them there, too.',
    ],
    options: [
      {
        name: 'from',
        value: 'URL',
        doc: 'engine URL of the store to read; default: the configured one',
      },
      { name: 'to', value: 'URL', doc: 'engine URL of the store to write' },
    ],
    failure: 'the store of --to holds something else, or something could not be read or written',
    run: async (call) => (await import('./copy.ts')).runCopy(call),
  },
  {
    name: 'doctor',
    words: '',
    wordCount: [0, 0],
    ignoresSettings: true,
    summary: 'check this installation and say what to fix',
    details: [
      'Looks at the data folder, locks, syncs, limits and the executable, or asks the database whether it',
      'can be used and takes a record, which it removes again. Of either store it looks the last event, its',
      'stream and the accounts up, as requests do; damage elsewhere is for "apie verify". With --url it also',
      'asks the installed program over HTTP what the web server lets through. The data folder may be missing.',
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
  BROKER_COMMAND,
  {
    name: 'version',
    words: '',
    wordCount: [0, 0],
    ignoresSettings: true,
    summary: 'print version, commit and Node version',
    details: [],
    options: [JSON_OPTION],
    run: async (call) => (await import('./version.ts')).runVersion(call),
  },
  {
    name: 'help',
    words: '[COMMAND | settings]',
    // As many as the command itself takes: `runHelp` counts them.
    wordCount: [0, 5],
    ignoresSettings: true,
    summary: 'print this list, the help of a command, or that of the settings',
    details: [],
    options: [{ name: 'markdown', doc: 'print docs/command-line.md: all commands and settings' }],
    run: async (call) => (await import('./help.ts')).runHelp(call),
  },
]

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name)
}
