/**
 * The single entry: looks at the environment, file descriptor 0 and the arguments, and picks a gateway or
 * the command line; nothing more. A web server turns `?serve+--port` into arguments, so they count last.
 */
import type { SettingSources } from './config.ts'
import {
  loadSettings,
  programNameOf,
  programPathOf,
  stubPathOf,
  workingFolder,
} from './program-files.ts'
import { syncDisk } from './storage/file/disk.ts'

// A client can set it with a header `Proxy:`; nothing below may ever follow it.
delete process.env['HTTP_PROXY']
process.umask(0o077)

const programPath = programPathOf(process.execPath, process.argv)
const words = process.argv.slice(2)
/** Names under which links to the program stand for some of its commands. */
const LINKS: Readonly<Record<string, readonly string[]>> = {
  broker: ['broker'],
  'brittle-api': ['broker', 'brittle-api'],
}

function loaded(options: SettingSources['options'], stubPath?: string) {
  return loadSettings({
    files: { programPath, ...(stubPath === undefined ? {} : { stubPath }) },
    environment: process.env,
    ...(options ? { options } : {}),
    folder: workingFolder,
    disk: syncDisk,
  })
}

async function answerCgiRequest(): Promise<void> {
  const { serveCgi } = await import('./gateway/cgi.ts')
  const { openAppOrRefuse } = await import('./wire.ts')
  const stubPath = stubPathOf(words[0], process.env['SCRIPT_FILENAME'])
  const { app, settings, close } = await openAppOrRefuse(() => loaded({}, stubPath))
  const isDelivered = await serveCgi(app, {
    variables: process.env,
    input: 0,
    output: 1,
    ...settings,
  })
  await close()
  // Waiting for the runtime to notice that nothing is left costs time that the client waits, too.
  process.exit(isDelivered ? 0 : 1)
}

async function runCommand(): Promise<void> {
  const { runCommandLine } = await import('./cli/command-line.ts')
  const { processTerminal } = await import('./cli/terminal.ts')
  const { outliveTerminal, untilStopped } = await import('./cli/stop-signal.ts')
  outliveTerminal()
  process.exitCode = await runCommandLine({
    words: [...(LINKS[programNameOf(process.argv0)] ?? []), ...words],
    terminal: processTerminal(),
    ...(process.env['APIE_DEBUG'] === '1' ? { showStack: await stackMapper() } : {}),
    services: (options) => ({
      programPath,
      environment: process.env,
      settings: () => loaded(options),
      openStore: async (mode, engineUrl) => {
        const own = loaded(options)
        const settings = engineUrl ? { ...own, store: engineUrl } : own
        await workAsOwner(settings.store, mode)
        const { openCommandStore } = await import('./wire.ts')
        return openCommandStore(settings, mode)
      },
      workAsOwner: () => workAsOwner(loaded(options).store, 'existing'),
      isForeignFolder: async (folder) => (await import('./wire.ts')).isForeignFolder(folder),
      untilStopped,
      migrateStore: async () => (await import('./wire.ts')).migrateStore(loaded(options)),
      checkOriginal: async (folder) =>
        (await import('./wire.ts')).originalFolders.checkOriginal(folder),
      importOriginal: async (...call) =>
        (await import('./wire.ts')).originalFolders.importOriginal(...call),
      exportOriginal: async (...call) =>
        (await import('./wire.ts')).originalFolders.exportOriginal(...call),
      openApp: async () => {
        const settings = loaded(options)
        await workAsOwner(settings.store, 'existing')
        const { openApp } = await import('./wire.ts')
        return openApp(settings, 'many-requests')
      },
    }),
  })
}

/** Root works on a data folder as its owner; see `program-user.ts`. */
async function workAsOwner(store: string, mode: 'existing' | 'create'): Promise<void> {
  if (!store.startsWith('file:') || process.geteuid?.() !== 0) return
  const folder = store.slice('file:'.length)
  const { isRootsNewFolder, workAsOwnerOf } = await import('./program-user.ts')
  workAsOwnerOf(folder)
  if (mode === 'existing' || !isRootsNewFolder(folder)) return
  process.stderr.write(
    `apie: the new data folder ${folder} belongs to root; where a web server runs the program as another user, give it to that one: chown -R USER ${folder}\n`,
  )
}

async function answerOtherwise(): Promise<void> {
  const { isListeningSocket } = await import('./gateway/listening-socket.ts')
  await (isListeningSocket(0) ? answerFastCgi() : runCommand())
}

async function stackMapper(): Promise<(stack: string) => string> {
  const { mapStack } = await import('./program-stack.ts')
  return (stack) => mapStack(stack, syncDisk.readText(`${process.execPath}.map`))
}

async function answerFastCgi(): Promise<void> {
  process.stderr.write('apie: FastCGI is not there yet; use it as CGI or with "apie serve"\n')
  process.exitCode = 1
}

if (process.env['GATEWAY_INTERFACE'] !== undefined) void answerCgiRequest()
else void answerOtherwise()
