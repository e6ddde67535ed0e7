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
    name: 'broker',
    words: 'COMMAND [WORDS]',
    wordCount: [1, 4],
    summary: 'call an unreliable API through the event store',
    details: [
      'configure [--retries N] [--timeout S] [--external-uuid UUID]: what later requests get; prints its id.',
      'insert CLASS DATA [--external-uuid UUID] [--causation ID]: an event of the class simple, request,',
      'response or failure (the last two of attempt 0); prints its id.',
      'process --api-url URL [--until-idle] [--start-after ID] [--late-responses] [--max-parallel N]',
      '[--backoff-ms N] [--jitter-percent N]: calls the API for all requests that are open. Any number of',
      'them may run; --until-idle does what is due and ends, as cron wants it.',
      'list [--start-after ID]: all events behind ID. show ID: one. resolve-external-uuid UUID: its id.',
      'status [REQUEST-ID]: of a request and its attempts; without id, of the broker.',
      'watch: ids of new events. watch-requests [--start-after ID]: what becomes of requests. Both until',
      'interrupted.',
      'brittle-api serve ADDRESS [--api-failure-rate R] [--api-silent-failure-rate R] [--api-min-latency S]',
      '[--api-max-latency S] [--seed N]: an unreliable API to try it with.',
      'All but process and brittle-api take --json: a JSON document a line. docs/broker.md tells more. A link',
      'to the program that is named broker stands for "apie broker".',
    ],
    options: [
      { name: 'retries', value: 'N', doc: 'attempts after the first one; -1 (default): unchanged' },
      {
        name: 'timeout',
        value: 'S',
        doc: 'seconds that an attempt may take; 0: any time; -1 (default): unchanged',
      },
      {
        name: 'external-uuid',
        value: 'UUID',
        doc: 'event id of the new event; default: a new one',
      },
      { name: 'causation', value: 'ID', doc: 'event that caused the new one; 0 (default): none' },
      { name: 'start-after', value: 'ID', doc: 'only what is behind this event; 0 (default): all' },
      {
        name: 'api-url',
        value: 'URL',
        doc: 'base of the API; requests are posted to URL/api',
        setting: 'brokerApiUrl',
      },
      { name: 'until-idle', doc: 'end when nothing is due and no call is under way' },
      {
        name: 'late-responses',
        doc: 'keep calls running after their timeout; a response still counts',
      },
      {
        name: 'max-parallel',
        value: 'N',
        doc: 'calls at once',
        setting: 'brokerMaxParallel',
      },
      {
        name: 'backoff-ms',
        value: 'N',
        doc: 'wait before the second attempt, doubled with each further one',
        setting: 'brokerBackoffMs',
      },
      {
        name: 'jitter-percent',
        value: 'N',
        doc: 'percentage of that wait by which it varies',
        setting: 'brokerJitterPercent',
      },
      { name: 'stream', value: 'NAME', doc: 'stream to work on', setting: 'brokerStream' },
      {
        name: 'eventstore-driver',
        value: 'DRIVER',
        doc: 'engine: store (default), file, mongodb or postgresql',
        setting: 'eventstoreDriver',
      },
      {
        name: 'eventstore-db-host',
        value: 'HOST',
        doc: 'host of the database that the driver is for',
        setting: 'eventstoreDbHost',
      },
      {
        name: 'eventstore-loglevel',
        value: 'LEVEL',
        doc: 'what is told on standard error: debug, info, warn, error or crit',
        setting: 'eventstoreLoglevel',
      },
      { name: 'api-failure-rate', value: 'R', doc: 'part of the calls that fail, 0 to 1' },
      {
        name: 'api-silent-failure-rate',
        value: 'R',
        doc: 'part of these that get no answer, 0 to 1',
      },
      { name: 'api-min-latency', value: 'S', doc: 'shortest time until an answer, in seconds' },
      { name: 'api-max-latency', value: 'S', doc: 'longest time until an answer, in seconds' },
      { name: 'seed', value: 'N', doc: 'makes the fates of calls repeatable' },
      { name: 'json', doc: 'print a JSON document a line' },
    ],
    failure: 'the event is not there, its UUID is there already, or the store failed',
    run: async (call) => (await import('./broker/broker.ts')).runBroker(call),
  },
  {
    name: 'version',
    words: '',
    wordCount: [0, 0],
    summary: 'print version, commit and Node version',
    details: [],
    options: [JSON_OPTION],
    run: async (call) => (await import('./version.ts')).runVersion(call),
  },
  {
    name: 'help',
    words: '[COMMAND]',
    wordCount: [0, 1],
    summary: 'print this list, or the help of a command',
    details: [],
    options: [{ name: 'markdown', doc: 'print docs/command-line.md: all commands and settings' }],
    run: async (call) => (await import('./help.ts')).runHelp(call),
  },
]

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name)
}
