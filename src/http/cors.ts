/**
 * Pages of other origins. Browsers attach Basic credentials to whatever a page sends, so a request that
 * changes something is refused when a page of another origin made it, unless a setting names that origin.
 * Programs other than browsers send none of these headers and are not concerned.
 */
import { AppError } from '../domain/app-error.ts'
import type { HttpRequest } from './message.ts'

const changesNothing: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

/** @throws AppError `cross-site-refused` */
export function refuseCrossSite(request: HttpRequest, origins: readonly string[]): void {
  if (changesNothing.includes(request.method)) return
  const { origin } = request.headers
  if (origin !== undefined && origins.includes(origin)) return
  const site = request.headers['sec-fetch-site']
  const isOwn = site === undefined ? isOwnOrigin(request, origin) : ownSites.includes(site)
  if (!isOwn) {
    throw new AppError('cross-site-refused', 'Pages of other origins may not change anything here')
  }
}

const ownSites: readonly string[] = ['same-origin', 'none']

/** The scheme is left out: behind a proxy that ends TLS we see `http` where the browser sees `https`. */
function isOwnOrigin(request: HttpRequest, origin: string | undefined): boolean {
  return origin === undefined || authority(origin) === authority(request.origin)
}

function authority(origin: string): string {
  return origin.slice(origin.indexOf('://') + 3).toLowerCase()
}

/** Headers that let a page of a configured origin read the response; none for all others. */
export function corsHeaders(
  request: HttpRequest,
  origins: readonly string[],
): Readonly<Record<string, string>> {
  const { origin } = request.headers
  if (origin === undefined || !origins.includes(origin)) return {}
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers':
      'ETag, X-Apie-Hash, X-Apie-Code, X-Apie-Cut, Link, Location, Retry-After, Content-Disposition',
  }
}

/** What the preflight of a page of a configured origin is told besides. */
export function preflightHeaders(methods: readonly string[]): Readonly<Record<string, string>> {
  return {
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers':
      'Authorization, Content-Type, Accept, If-Match, If-None-Match, Range, X-Producer-ID, X-Consumer-ID, Idempotency-Key',
    'access-control-max-age': '600',
  }
}
