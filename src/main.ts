/**
 * The single entry: looks at the environment, file descriptor 0 and the arguments, and picks a gateway or
 * the command line; nothing more. A web server turns `?serve+--port` into arguments, so they count last.
 */
import process from 'node:process'
import type { SettingSources, Settings } from './config.ts'
import { isListeningSocket } from './gateway/listening-socket.ts'
import { loadSettings, programPathOf, stubPathOf } from './program-files.ts'
import { syncDisk } from './storage/file/disk.ts'

// A client can set it with a header `Proxy:`; nothing below may ever follow it.
delete process.env['HTTP_PROXY']
process.umask(0o077)

const programPath = programPathOf(process.execPath, process.argv)
const words = process.argv.slice(2)

function settings(options: SettingSources['options'], stubPath?: string) {
  return loadSettings({
    files: { programPath, ...(stubPath === undefined ? {} : { stubPath }) },
    environment: process.env,
    ...(options ? { options } : {}),
    folder: process.cwd(),
    disk: syncDisk,
  })
}

async function answerCgiRequest(): Promise<void> {
  const { serveCgi } = await import('./gateway/cgi.ts')
  const { openAppOrRefuse } = await import('./wire.ts')
  const stubPath = stubPathOf(words[0], process.env['SCRIPT_FILENAME'])
  const read = once(() => settings({}, stubPath))
  const isDelivered = await serveCgi(openAppOrRefuse(read), {
    variables: process.env,
    ...deadlines(read),
  })
  process.exit(isDelivered ? 0 : 1)
}

/** The deadlines of the settings; where those are wrong the app says so, within the default ones. */
function deadlines(read: () => Settings) {
  try {
    const { bodyTimeoutMs, requestTimeoutMs } = read()
    return { bodyTimeoutMs, requestTimeoutMs }
  } catch {
    return { bodyTimeoutMs: 60_000, requestTimeoutMs: 120_000 }
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

async function runCommand(): Promise<void> {
  const { runCommandLine } = await import('./cli/command-line.ts')
  const { processTerminal } = await import('./cli/terminal.ts')
  process.exitCode = await runCommandLine({
    words,
    terminal: processTerminal(),
    debug: process.env['APIE_DEBUG'] === '1',
    services: (options) => ({
      programPath,
      settings: () => settings(options),
      openStore: async (mode) => {
        const { openCommandStore } = await import('./wire.ts')
        return openCommandStore(settings(options), mode)
      },
      importOriginal: async (...call) =>
        (await import('./wire.ts')).originalFolders.importOriginal(...call),
      exportOriginal: async (...call) =>
        (await import('./wire.ts')).originalFolders.exportOriginal(...call),
      openApp: async () => {
        const { openApp } = await import('./wire.ts')
        return openApp(settings(options), 'many-requests')
      },
    }),
  })
}

async function answerFastCgi(): Promise<void> {
  process.stderr.write('apie: FastCGI is not there yet; use it as CGI or with "apie serve"\n')
  process.exitCode = 1
}

if (process.env['GATEWAY_INTERFACE'] !== undefined) void answerCgiRequest()
else if (isListeningSocket(0)) void answerFastCgi()
else void runCommand()
