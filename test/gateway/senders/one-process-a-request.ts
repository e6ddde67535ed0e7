/** CGI: every request starts the program anew, with the variables that a web server sets. */
import { bundledProgram } from '../../support/bundled-program.ts'
import { parseAnswer, readAll, startCgi, type Transport } from '../../support/cgi-process.ts'
import { cgiVariables } from '../../support/cgi-run.ts'
import type { CorpusRequest } from '../corpus.ts'
import type { OpenGateway } from '../gateways.ts'

/** Fifty processes at once on a busy machine wait long for each other, which no case of the corpus is about. */
const LIMITS = { APIE_LOCK_TIMEOUT_MS: '45000' }

export async function openCgi(transport: Transport, dataFolder: string): Promise<OpenGateway> {
  const program = await bundledProgram()
  return {
    send: async (request) => {
      const variables = { ...variablesOf(request), ...LIMITS, APIE_DATA: dataFolder }
      const started = await startCgi({ program, variables, transport })
      const answer = readAll(started.output)
      started.input.end(request.body ?? '')
      const { status, err } = await started.ended
      const bytes = await answer
      if (status !== 0 || err !== '') throw new Error(`exit ${status}: ${err}`)
      return parseAnswer(bytes)
    },
    close: async () => {},
  }
}

/** As where a rewrite rule of the document root sends everything to the script. */
function variablesOf({
  method,
  path,
  query,
  headers,
  body,
}: CorpusRequest): Record<string, string> {
  const target = asVariable(query === undefined ? path : `${path}?${query}`)
  const named = Object.entries(headers ?? {}).map(([name, value]) => [
    name === 'content-type' ? 'CONTENT_TYPE' : `HTTP_${name.toUpperCase().replaceAll('-', '_')}`,
    asVariable(value),
  ])
  const variables = { REQUEST_URI: target, PATH_INFO: undefined, ...Object.fromEntries(named) }
  return cgiVariables({ method, target, variables, ...(body === undefined ? {} : { body }) })
}

/** Node writes variables as UTF-8; bytes that are none read as U+FFFD, which is what it writes for them here. */
function asVariable(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
