/** Documents about anything but events: JSON, and XML for whoever asks for it. */
import type { Handler, Route } from '../../http/handler.ts'
import type { HttpResponse } from '../../http/message.ts'
import { JSON_TYPE } from '../../http/response.ts'
import type { JsonText } from '../../kit/json-text.ts'
import { type Codec, DOCUMENT_CODECS } from './media-types.ts'
import { negotiate, typeHeaders } from './negotiation.ts'

/**
 * The routes, each of whose JSON answers comes as XML where that is asked for. What is not acceptable is refused
 * before anything is done.
 * @param root name of the root element
 */
export function asDocuments<R extends Pick<Route, 'handler'>>(
  root: string,
  routes: readonly R[],
): R[] {
  return routes.map((route) => ({ ...route, handler: asDocument(root, route.handler) }))
}

function asDocument(root: string, handler: Handler): Handler {
  return async (request, context) => {
    const codec = negotiate(request, context.query, DOCUMENT_CODECS)
    const answer = await handler(request, context)
    const { headers, body } = answer
    if (headers['content-type'] !== JSON_TYPE || typeof body !== 'string') return answer
    const varying = { ...answer, headers: { ...headers, vary: 'Accept' } }
    return codec.form === 'data-json' ? varying : asXml(varying, root, body, codec)
  }
}

async function asXml(
  answer: HttpResponse,
  root: string,
  json: string,
  codec: Codec,
): Promise<HttpResponse> {
  const { xmlOfJson } = await import('./json-to-xml.ts')
  const { writeXml } = await import('./xml-writer.ts')
  return {
    ...answer,
    headers: { ...answer.headers, ...typeHeaders(codec) },
    body: writeXml({ [root]: xmlOfJson(json as JsonText) }),
  }
}
