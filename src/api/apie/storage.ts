/**
 * The content store over HTTP: upload, download, delete, verify.
 *
 * What is stored is served so that a browser cannot run it in our name: sandboxed, its type never guessed,
 * and shown in place only where its type is passive.
 */
import {
  contentNotFound,
  findContentHash,
  parseFilename,
  UNKNOWN_MEDIA_TYPE,
} from '../../domain/content-store.ts'
import type { ContentEngine, ContentInfo } from '../../domain/ports.ts'
import { boundedBody } from '../../http/body.ts'
import { requestedRange } from '../../http/byte-range.ts'
import { isKnownToClient, quoteTag } from '../../http/conditional.ts'
import { contentDisposition } from '../../http/content-disposition.ts'
import type { Handler, RouteParameters } from '../../http/handler.ts'
import { contentTypeOf } from '../../http/media-type.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { IMMUTABLE, jsonResponse } from '../../http/response.ts'
import { verifyResponse } from './verify.ts'

/** @param maxBytes largest upload */
export function putContent(content: ContentEngine, maxBytes: number): Handler {
  return async (request, { parameters, baseUrl }) => {
    const filename = parseFilename(parameters['name'] ?? '')
    const mediaType = contentTypeOf(request) ?? UNKNOWN_MEDIA_TYPE
    const info = await content.put(boundedBody(request, maxBytes), { filename, mediaType })
    return jsonResponse(200, {
      status: 'ok',
      hash: info.hash,
      url: `${baseUrl}/storage/${contentPath(info)}`,
      size: info.size,
      contentType: info.mediaType,
      filename: info.filename,
    })
  }
}

function contentPath({ hash, filename }: ContentInfo): string {
  return `${hash.slice(0, 2)}/${hash}/${encodeURIComponent(filename)}`
}

/** By hash alone. */
export function getContent(content: ContentEngine): Handler {
  return async (request, { parameters }) =>
    download(content, request, await infoOf(content, parameters['name']))
}

/** By the address that an upload answered with; every part of it must be right. */
export function getNamedContent(content: ContentEngine): Handler {
  return async (request, { parameters }) => {
    const info = await infoOf(content, parameters['hash'])
    if (!isAddressOf(parameters, info)) throw contentNotFound(info.hash)
    return download(content, request, info)
  }
}

function isAddressOf(parameters: RouteParameters, { hash, filename }: ContentInfo): boolean {
  return parameters['start'] === hash.slice(0, 2) && parameters['name'] === filename
}

export function deleteContent(content: ContentEngine): Handler {
  return async (_request, { parameters }) => {
    const text = parameters['name'] ?? ''
    const hash = findContentHash(text)
    if (hash === undefined || !(await content.remove(hash))) throw contentNotFound(text)
    return jsonResponse(200, { status: 'ok' })
  }
}

export function verifyContent(content: ContentEngine): Handler {
  return async () => verifyResponse(await content.verify())
}

async function infoOf(content: ContentEngine, text = ''): Promise<ContentInfo> {
  const hash = findContentHash(text)
  const info = hash === undefined ? undefined : await content.info(hash)
  if (!info) throw contentNotFound(text)
  return info
}

async function download(
  content: ContentEngine,
  request: HttpRequest,
  info: ContentInfo,
): Promise<HttpResponse> {
  const caching = { etag: quoteTag(info.hash), 'cache-control': IMMUTABLE }
  if (isKnownToClient(request.headers['if-none-match'], info.hash)) {
    return { status: 304, headers: caching }
  }
  const range = await requestedRange(request, info.size, info.hash)
  const length = range ? range.end - range.start + 1 : info.size
  const headers = {
    ...caching,
    'content-type': info.mediaType,
    'content-length': String(length),
    'accept-ranges': 'bytes',
    'content-disposition': dispositionOf(info),
    'content-security-policy': 'sandbox',
    'cross-origin-resource-policy': 'same-origin',
    ...(range && { 'content-range': `bytes ${range.start}-${range.end}/${info.size}` }),
  }
  if (request.method === 'HEAD') return { status: 200, headers }
  const body = await content.read(info.hash, range)
  if (!body) throw contentNotFound(info.hash)
  return { status: range ? 206 : 200, headers, body }
}

/** Types that no browser runs anything in. SVG, HTML, XML and PDF are not among them. */
const passiveType =
  /^(?:image\/(?:png|jpeg|gif|webp|avif|bmp)|(?:audio|video)\/[a-z0-9.+-]+|text\/plain)(?:$|[ \t]*;)/i

function dispositionOf({ mediaType, filename }: ContentInfo): string {
  return contentDisposition(passiveType.test(mediaType) ? 'inline' : 'attachment', filename)
}
