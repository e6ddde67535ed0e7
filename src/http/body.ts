/**
 * Reads request bodies: bounded, whole or piece by piece, as bytes, text or JSON.
 *
 * Length that was announced is checked before the first byte is read, length that arrives while it does.
 */
import { AppError } from '../domain/app-error.ts'
import { JsonError, type JsonLimits, type ScannedJson, scanJson } from '../kit/json-text.ts'
import type { HttpRequest } from './message.ts'

/**
 * The body in pieces; throws `body-too-large` as soon as more than `maxBytes` came.
 * @throws AppError `body-too-large` where more is announced, `media-type-unsupported` where it is compressed
 */
export function boundedBody(request: HttpRequest, maxBytes: number): AsyncIterable<Uint8Array> {
  refuseAnnounced(request, maxBytes)
  return bounded(request.body, maxBytes)
}

function refuseAnnounced(request: HttpRequest, maxBytes: number): void {
  refuseEncoded(request)
  if (request.contentLength !== undefined && request.contentLength > maxBytes) {
    throw tooLarge(maxBytes)
  }
}

async function* bounded(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let total = 0
  for await (const piece of body) {
    total += piece.length
    if (total > maxBytes) throw tooLarge(maxBytes)
    yield piece
  }
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('body-too-large', `The body may have at most ${maxBytes} bytes`, { maxBytes })
}

/** Unpacking what a client packed would let a few bytes become many. */
function refuseEncoded(request: HttpRequest): void {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase()
  if (encoding === undefined || encoding === '' || encoding === 'identity') return
  throw new AppError('media-type-unsupported', 'Request bodies must not be compressed', {
    header: 'Content-Encoding',
  })
}

/** @throws AppError as `boundedBody` */
export async function readBody(request: HttpRequest, maxBytes: number): Promise<Buffer> {
  refuseAnnounced(request, maxBytes)
  const arrived = request.arrived?.()
  if (arrived) {
    if (arrived.length > maxBytes) throw tooLarge(maxBytes)
    return Buffer.from(arrived.buffer, arrived.byteOffset, arrived.length)
  }
  const pieces: Uint8Array[] = []
  for await (const piece of bounded(request.body, maxBytes)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

/** Made once: that takes longer than decoding most bodies. */
let decoder: InstanceType<typeof TextDecoder> | undefined

/** @throws AppError as `boundedBody`; `bad-request` where the body is not UTF-8 */
export async function readText(request: HttpRequest, maxBytes: number): Promise<string> {
  const bytes = await readBody(request, maxBytes)
  try {
    decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return decoder.decode(bytes)
  } catch (error) {
    throw new AppError('bad-request', 'The body is not valid UTF-8', {}, error)
  }
}

/** @throws AppError as `readText`; `bad-json` that names the place */
export async function readJson(
  request: HttpRequest,
  maxBytes: number,
  limits: JsonLimits,
): Promise<ScannedJson> {
  return parseJson(await readText(request, maxBytes), limits)
}

/** @throws AppError `bad-json` that names the place */
export function parseJson(text: string, limits: JsonLimits): ScannedJson {
  try {
    return scanJson(text, limits)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new AppError('bad-json', error.message, { character: error.offset + 1 }, error)
  }
}
