/**
 * What links begin with: they are absolute, so they name the host as the client does, or as a proxy says it
 * does (`X-Forwarded-…`), unless a setting names the public base.
 */
import type { HttpRequest } from '../../http/message.ts'

/** A name or an address, and maybe a port; what else a client may send never gets into a link. */
const authority = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?$/i

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' }

/** Without a slash at its end. */
export function publicBase(request: HttpRequest, baseUrl: string): string {
  if (baseUrl !== '') return baseUrl.replace(/\/+$/, '')
  const { headers, origin, mount } = request
  const [ownScheme = 'http', own = ''] = origin.split('://')
  const forwarded = first(headers['x-forwarded-proto']).toLowerCase()
  const scheme = forwarded === 'http' || forwarded === 'https' ? forwarded : ownScheme
  const host = isAuthority(own) ? own : 'localhost'
  return `${scheme}://${publicHost(host, headers, scheme)}${joined(publicPrefix(headers), mount)}`
}

/** Whether a link depends on more than the address that a cache knows an answer by. */
export function isForwarded({ headers }: HttpRequest, baseUrl: string): boolean {
  return baseUrl === '' && Object.keys(headers).some((name) => name.startsWith('x-forwarded-'))
}

function publicHost(own: string, headers: HttpRequest['headers'], scheme: string): string {
  const forwarded = first(headers['x-forwarded-host'])
  const isNamed = isAuthority(forwarded)
  if (isNamed && /:[0-9]+$/.test(forwarded)) return forwarded
  const port = first(headers['x-forwarded-port'])
  if (!/^[0-9]+$/.test(port) || !isAuthority(`a:${port}`)) return isNamed ? forwarded : own
  const name = isNamed ? forwarded : own.replace(/:[0-9]+$/, '')
  return port === DEFAULT_PORTS[scheme] ? name : `${name}:${port}`
}

function isAuthority(text: string): boolean {
  // A port above 65535, or an address that is none, has the right letters all the same.
  return authority.test(text) && URL.canParse(`http://${text}`)
}

function publicPrefix(headers: HttpRequest['headers']): string {
  const prefix = first(headers['x-forwarded-prefix'])
  return /^\/?[\w.~!$&'()*+,;=:@%/-]*$/.test(prefix) ? prefix : ''
}

function joined(...paths: readonly string[]): string {
  const segments = paths.flatMap((path) => path.split('/')).filter((segment) => segment !== '')
  return segments.map((segment) => `/${segment}`).join('')
}

function first(list: string | undefined): string {
  return (list ?? '').split(',')[0]?.trim() ?? ''
}
