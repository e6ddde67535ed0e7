/** The `ES-…` headers of requests. */
import { AppError } from '../../domain/app-error.ts'
import type { ExpectedVersion } from '../../domain/ports.ts'
import { type ProducerId, parseProducerId } from '../../domain/producer.ts'
import type { HttpRequest } from '../../http/message.ts'

/** Empty, it is no version: whoever sends it means to expect something. @throws AppError `bad-header` */
export function expectedVersionOf(request: HttpRequest): ExpectedVersion {
  const text = writtenHeaderOf(request, 'ExpectedVersion')
  if (text === undefined) return { kind: 'any' }
  const version = Number(text)
  if (!/^-?[0-9]{1,19}$/.test(text)) throw wrongFormat('ES-ExpectedVersion')
  if (version === -2) return { kind: 'any' }
  if (version === -1) return { kind: 'no-stream' }
  if (version === -4) return { kind: 'stream-exists' }
  if (version >= 0) return { kind: 'version', version }
  throw wrongFormat('ES-ExpectedVersion')
}

/** Whether links are to be followed. @throws AppError `bad-header` */
export function resolveLinksOf(request: HttpRequest, fallback: boolean): boolean {
  return flagOf(request, 'ResolveLinkTos') ?? flagOf(request, 'ResolveLinkTo') ?? fallback
}

/** @throws AppError `bad-header` */
export function hardDeleteOf(request: HttpRequest): boolean {
  return flagOf(request, 'HardDelete') ?? false
}

/** There is one node, so it is always the one that is asked for; a wrong value is an error all the same. */
export function checkRequireLeader(request: HttpRequest): void {
  for (const name of ['RequireMaster', 'RequiresMaster', 'RequireLeader']) flagOf(request, name)
}

/** Who the writer says it is. @throws AppError `bad-field` */
export function producerOf({ headers }: HttpRequest): { readonly producer?: ProducerId } {
  const text = headers['x-producer-id']?.trim()
  return text === undefined || text === '' ? {} : { producer: parseProducerId(text) }
}

/** The value of a header under either of the two names that it goes by; an empty one counts as missing. */
export function headerOf(request: HttpRequest, name: string): string | undefined {
  const text = writtenHeaderOf(request, name)
  return text === '' ? undefined : text
}

function writtenHeaderOf({ headers }: HttpRequest, name: string): string | undefined {
  const lower = name.toLowerCase()
  return (headers[`kurrent-${lower}`] ?? headers[`es-${lower}`])?.trim()
}

function flagOf(request: HttpRequest, name: string): boolean | undefined {
  const text = headerOf(request, name)?.toLowerCase()
  if (text === undefined) return undefined
  if (text === 'true') return true
  if (text === 'false') return false
  throw wrongFormat(`ES-${name}`)
}

export function wrongFormat(header: string): AppError {
  return new AppError('bad-header', `${header} header has wrong format.`, { header })
}
