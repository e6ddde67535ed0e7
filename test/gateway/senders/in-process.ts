/** The app called as a function, put together as the program does it. */
import { readSettings } from '../../../src/config.ts'
import { pathProblem } from '../../../src/gateway/request-path.ts'
import { type OpenedApp, openApp } from '../../../src/wire.ts'
import { sendTo } from '../../support/app-send.ts'
import type { OpenGateway } from '../gateways.ts'

export async function openInProcess(dataFolder: string): Promise<OpenGateway> {
  const { app, close } = await openOn(dataFolder)
  // What is wrong with a path is found by whoever reads it off the wire.
  const send = sendTo((request) => {
    const problem = pathProblem(request.path)
    return app(problem ? { ...request, problem } : request)
  })
  return { send, close }
}

export function openOn(dataFolder: string, store = `file:${dataFolder}`): Promise<OpenedApp> {
  const settings = readSettings({ options: { data: dataFolder, store } })
  return openApp(settings, 'many-requests')
}
