/** What a person sees who opens a new site with a browser: where to go, in place of a JSON document. */
import type { AppError } from '../domain/app-error.ts'
import { htmlText } from '../kit/html-text.ts'
import type { HttpRequest, HttpResponse } from './message.ts'
import { htmlResponse } from './response.ts'

/** Browsers name HTML in `Accept`, programs do not. */
export function isForBrowser({ method, headers }: HttpRequest): boolean {
  return (method === 'GET' || method === 'HEAD') && /\btext\/html\b/i.test(headers['accept'] ?? '')
}

export function setupRequiredPage(status: number, { message, facts }: AppError): HttpResponse {
  return htmlResponse(
    status,
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>apie is not set up yet</title>
<h1>apie is not set up yet</h1>
<p>${htmlText(message)}.</p>
<p><a href="${htmlText(String(facts['setup'] ?? ''))}">Set up apie</a></p>
<p>Programs see the code <code>setup-required</code>.</p>
`,
  )
}
