/** The tables of commands and settings as Markdown, for `docs/command-line.md` and the README. */
import type { Command } from './command.ts'
import { COMMON_OPTIONS } from './common-options.ts'
import { settingMeanings } from './setting-meaning.ts'
import { optionLabel, usageLine } from './usage-line.ts'

/** Every setting, a row each: name in the settings file, environment variable, default, meaning. */
export function settingsTable(): string {
  const rows = settingMeanings().map(({ name, variable, fallback, text }) => [
    code(name),
    code(variable),
    code(fallback),
    text,
  ])
  return table(['setting', 'environment', 'default', 'meaning'], rows)
}

export function commandLineDocument(commands: readonly Command[]): string {
  return [
    '# Command line and settings',
    '',
    'Printed by `apie help --markdown` from the tables that the program itself uses.',
    '',
    'Exit codes of every command: 0 done, 1 something is wrong or failed, 2 called wrongly. A failure is one',
    'sentence on standard error with its code in brackets, which `docs/errors.md` explains;',
    '`APIE_DEBUG=1` shows the stack instead.',
    '',
    table(
      ['command', 'what it does'],
      commands.map(({ name, summary }) => [`[${code(`apie ${name}`)}](#apie-${name})`, summary]),
    ),
    ...commands.map(commandSection),
    SIGNALS,
    '## Settings',
    '',
    'Later wins: the default, the settings file, the environment, an option of the command line. The',
    'settings file is `apie.json` beside the executable, the file that `APIE_CONFIG` names, or the lines',
    '`name: value` of a `#!` file that names the executable as its interpreter. Paths in it count from its',
    'folder, paths elsewhere from the working folder. A name that is no setting is refused in the file, and so is',
    'another JSON value where a text belongs (`{"data": 5}`). Of the environment, commands name variables `APIE_…`',
    'that are none on standard error and go on; of requests through CGI only `apie doctor` does.',
    '',
    settingsTable(),
    DATA_FOLDER,
  ].join('\n')
}

function commandSection(command: Command): string {
  const options = [...command.options, ...COMMON_OPTIONS]
  return [
    `## apie ${command.name}`,
    '',
    `    ${usageLine(command)}`,
    '',
    ...(command.details.length === 0 ? [] : [...command.details, '']),
    table(
      ['option', 'meaning'],
      options.map((option) => [code(optionLabel(option)), option.doc]),
    ),
    ...(command.failure === undefined ? [] : [`Exit code 1: ${command.failure}.`]),
    '',
  ].join('\n')
}

const SIGNALS = `## Signals

SIGTERM and SIGINT stop what goes on until it is stopped (\`apie serve\`, \`broker process\`, \`broker watch\`,
\`broker watch-requests\`, \`broker brittle-api serve\`) when its work is finished; a second one ends it at once. So does SIGHUP
where one of the three standard streams is a terminal, but it never hurries. Where none is, under \`nohup\` or as a service,
SIGHUP does nothing to any command: nothing has to be read again. A log file (\`logFile\`) that is renamed is made anew with
the next line, so that rotating it takes no signal.
`

const DATA_FOLDER = `## Where the data folder is without a setting

It follows from the path of the executable (or of the \`#!\` file) alone, so that a request and the command
line find the same one. The first rule that fits an executable \`…/FOLDER/apie\`:

1. Below a folder that by its name is a document root (\`public_html\`, \`htdocs\`, \`httpdocs\`, \`www\`,
   \`html\`, \`web\`, \`webroot\`, \`wwwroot\`, \`public\`): \`apie-data\` beside the topmost one.
   \`/home/u/public_html/cgi-bin/apie\` keeps its data in \`/home/u/apie-data\`.
2. FOLDER is \`cgi-bin\`: the folder that holds it may itself be a document root, so \`apie-data\` beside that
   one; in it where its parent belongs to another user. \`/home/u/example.org/cgi-bin/apie\` and
   \`/home/u/cgi-bin/apie\` both keep their data in \`/home/u/apie-data\`.
3. Else \`apie-data\` beside FOLDER: \`/home/u/bin/apie\` keeps its data in \`/home/u/apie-data\`.
`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const body = rows.map((cells) => line(cells.map((cell) => cell.replaceAll('|', '\\|'))))
  return [line(head), line(head.map(() => '---')), ...body, ''].join('\n')
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``
}
