/** The style of an API that has none of its own: problem documents, and only the origins that a setting lists. */
import type { AppError } from '../domain/app-error.ts'
import type { ApiStyle } from './api.ts'
import { corsHeaders, preflightHeaders, refuseCrossSite } from './cors.ts'
import type { HttpHeaders, HttpRequest, HttpResponse } from './message.ts'
import { problemResponse } from './problem.ts'
import { allowedMethods } from './router.ts'
import { isForBrowser, setupRequiredPage } from './setup-required-page.ts'

export type OriginSettings = { readonly corsOrigins: readonly string[] }

/**
 * @param problem     how errors are written; Apie's problem documents unless given
 * @param answersHead whether HEAD is a GET whose body is left out
 */
export function defaultStyle(
  { corsOrigins }: OriginSettings,
  problem: ApiStyle['problem'] = apieProblem,
  answersHead = true,
): ApiStyle {
  return {
    answersHead,
    guardOrigin: (request) => refuseCrossSite(request, corsOrigins),
    problem,
    options: (registered, request) => {
      const methods = allowedMethods(registered, answersHead)
      return optionsResponse(methods, request, corsOrigins)
    },
    headers: (request) => sharedHeaders(request, corsOrigins),
  }
}

function apieProblem(error: AppError, request: HttpRequest, reference?: string): HttpResponse {
  const document = problemResponse(error, reference)
  if (error.code !== 'setup-required') return document
  const { status, headers: shared } = document
  const page = isForBrowser(request) ? setupRequiredPage(status, error) : document
  return { ...page, headers: { ...shared, ...page.headers, vary: 'Accept' } }
}

function optionsResponse(
  methods: readonly string[],
  request: HttpRequest,
  corsOrigins: readonly string[],
): HttpResponse {
  const isAllowed = corsOrigins.includes(request.headers['origin'] ?? '')
  const preflight = isAllowed ? preflightHeaders(methods) : {}
  return { status: 204, headers: { allow: methods.join(', '), ...preflight } }
}

function sharedHeaders(request: HttpRequest, corsOrigins: readonly string[]): HttpHeaders {
  if (corsOrigins.length === 0) return {}
  return { ...corsHeaders(request, corsOrigins), vary: 'Origin' }
}
