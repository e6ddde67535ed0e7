/**
 * `GET /` and `GET /info`: what this is and who asks. Neither shows a value of the environment, a path of
 * the machine or anything of the request.
 */
import type { EventLog } from '../../domain/event-log.ts'
import type { Handler } from '../../http/handler.ts'
import { preferredMediaType } from '../../http/media-type.ts'
import { htmlResponse, jsonResponse, textResponse } from '../../http/response.ts'
import { htmlText } from '../../kit/html-text.ts'
import type { AccountService } from './user.ts'

/** A line of text; a page where the client prefers HTML, as browsers do. */
export function readRoot(version: string): Handler {
  return async (request, { baseUrl, principal }) => {
    const type = await preferredMediaType(request, ['text/plain', 'text/html'])
    const response =
      type === 'text/html'
        ? htmlResponse(200, rootPage(version, baseUrl, principal.role === 'admin'))
        : textResponse(200, `apie ${version}\n`)
    return { ...response, headers: { ...response.headers, vary: 'Accept' } }
  }
}

/** The log as pages is for admins, where no access list says otherwise; others would be asked to sign in again. */
function rootPage(version: string, baseUrl: string, isForAdmin: boolean): string {
  const base = htmlText(baseUrl)
  const pages = isForAdmin ? `\n<a href="${base}/streams/%24all">all events as pages</a>,` : ''
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>apie</title>
<h1>apie ${htmlText(version)}</h1>
<p>An event store. <a href="${base}/events?order=desc&amp;limit=100">Newest events</a>,${pages}
<a href="${base}/info">about this server</a>.</p>
`
}

/** What clients of the AtomPub API look for. The version is that of the API as it is spoken here. */
const EVENT_STORE = {
  esVersion: '21.10.0.0',
  dbVersion: '21.10.0.0',
  state: 'leader',
  projectionsMode: 'None',
  features: { projections: false, userManagement: true, atomPub: true },
  authentication: { type: 'internal', properties: {} },
}

export function readInfo(events: EventLog, accounts: AccountService, version: string): Handler {
  return async (_request, { principal }) => {
    const { count, hash } = await events.head()
    const account = principal.isAnonymous ? undefined : await accounts.find(principal.name)
    return jsonResponse(200, {
      name: 'apie',
      version,
      auth: {
        user: { email: principal.name, info: account?.info ?? '', role: principal.role },
      },
      eventlog: { events: count, head: count === 0 ? null : hash },
      ...EVENT_STORE,
    })
  }
}
