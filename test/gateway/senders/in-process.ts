/** The app called as a function, put together as the program does it. */
import { readSettings } from '../../../src/config.ts'
import { decodedHeaders, headersProblem } from '../../../src/gateway/header-text.ts'
import { pathProblem, queryProblem } from '../../../src/gateway/request-path.ts'
import { type OpenedApp, openApp } from '../../../src/wire.ts'
import { sendTo } from '../../support/app-send.ts'
import type { OpenGateway } from '../gateways.ts'

export async function openInProcess(dataFolder: string): Promise<OpenGateway> {
  const { app, close } = await openOn(dataFolder)
  // What is wrong with an address or a header is found by whoever reads it off the wire.
  const send = sendTo((request) => {
    const raw = Object.entries(request.headers).map(([name, value]) => [name, `${value}`])
    const headers = decodedHeaders(request.headers, raw.flat())
    const problem =
      pathProblem(request.path) ?? queryProblem(request.query) ?? headersProblem(headers)
    return app(problem ? { ...request, headers, problem } : { ...request, headers })
  })
  return { send, close }
}

export function openOn(dataFolder: string, store = `file:${dataFolder}`): Promise<OpenedApp> {
  const settings = readSettings({ options: { data: dataFolder, store } })
  return openApp(settings, 'many-requests')
}
