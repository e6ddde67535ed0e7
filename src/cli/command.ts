/**
 * The types of the command line: what a command is in the table, and what it gets when it runs.
 * The table itself is `commands.ts`; what stands behind `CommandServices` is put together in `main.ts`.
 */

import type { Accounts } from '../domain/accounts.ts'
import type { ImportCount, Progress, Store } from '../domain/ports.ts'
import type { Setup } from '../domain/setup.ts'
import type { App } from '../http/message.ts'
import type { SettingName, Settings } from '../settings.ts'
import type { Terminal } from './terminal.ts'

/** Done; it found something wrong or failed; it was called wrongly. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const

export type CommandOption = {
  readonly name: string
  /** What stands for the value in help, such as `DIR`; absent for a switch. */
  readonly value?: string
  readonly doc: string
  /** The setting whose value this option is. */
  readonly setting?: SettingName
}

/** One row of the table of commands. */
export type Command = {
  readonly name: string
  /** Words after the name, as help shows them; empty where there are none. */
  readonly words: string
  /** Fewest and most words after the name. */
  readonly wordCount: readonly [number, number]
  /** Whether the first word says what to do, so that `help` there asks for this page. */
  readonly hasActions?: boolean
  /** Whether variables that are no settings are none of its business, or told by itself. */
  readonly ignoresSettings?: true
  /** One line for the list of commands. */
  readonly summary: string
  /** Lines of its own help page: what it does, what it costs, what it never does. */
  readonly details: readonly string[]
  readonly options: readonly CommandOption[]
  /** What exit code 1 means here; absent where it cannot happen. */
  readonly failure?: string
  readonly run: (call: CommandCall) => Promise<number>
}

/** Values of the options that were given, by name; `true` for a switch. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>

/** One call of a command. */
export type CommandCall = {
  /** The table that the command stands in. */
  readonly commands: readonly Command[]
  readonly words: readonly string[]
  readonly options: OptionValues
  readonly terminal: Terminal
  readonly services: CommandServices
}

/** What was taken over, and what was there before. */
export type TransferCount = { readonly events: ImportCount; readonly content: ImportCount }

/** An open store and the app over it. */
export type OpenApp = {
  readonly app: App
  readonly accounts: Pick<Accounts, 'addFirstAdmin'>
  /** Making an account by the set-up page, while there is none. */
  readonly setup: Pick<Setup, 'isOpen' | 'tokenPlace'>
  /** Gives those that wait for events the answer that there is. */
  endWaits(): void
  close(): Promise<void>
}

/** What the program lends its commands. Nothing is opened before it is asked for. */
export type CommandServices = {
  /** @throws AppError `bad-setting` */
  settings(): Settings
  /** Path of the executable, or of the script where the sources run as they are. */
  readonly programPath: string
  /** The variables that the process was started with. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Gives the rights of root up in favour of the owner of the data folder; opening the store does it too. */
  workAsOwner(): Promise<void>
  /** Whether the folder holds files of something else, so that no store is ever opened in it. */
  isForeignFolder(folder: string): Promise<boolean>
  /**
   * `create` makes a data folder where there is none. An engine URL stands for the setting `store`.
   * @throws AppError `storage-unavailable`, `data-folder-unsafe`, `format-unknown`
   */
  openStore(mode: 'existing' | 'create', engineUrl?: string): Promise<Store>
  /** Makes or upgrades the schema of a database; `undefined` where the engine has none. */
  migrateStore(): Promise<{ readonly from: number; readonly to: number } | undefined>
  /** Whether this is a folder of the original Apie, before anything is made for it. @throws AppError `import-refused` */
  checkOriginal(folder: string): Promise<void>
  /** Takes a folder of the original Apie over. @throws AppError `import-refused` */
  importOriginal(store: Store, folder: string, progress: Progress): Promise<TransferCount>
  /** Writes a store as such a folder. @throws AppError `usage` where the folder holds anything, `output-failed` */
  exportOriginal(
    store: Store,
    folder: string,
    progress: Progress,
  ): Promise<{ readonly events: number; readonly content: number }>
  /** Aborted when the program is told to stop (SIGINT, SIGTERM, and SIGHUP on a terminal). */
  untilStopped(): AbortSignal
  /** For `serve`: made where it is missing. `report` takes what goes wrong while it serves. */
  openApp(): Promise<OpenApp>
}
