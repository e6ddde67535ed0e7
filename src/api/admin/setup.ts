/**
 * The set-up page: the only path that answers before there is an account, and one that is not there after.
 * Whoever sends the token of the store makes the first admin, by a form or as JSON.
 */
import { AppError } from '../../domain/app-error.ts'
import type { PasswordChoice } from '../../domain/password.ts'
import type { Setup } from '../../domain/setup.ts'
import { readJson, readText } from '../../http/body.ts'
import type { Handler, Route } from '../../http/handler.ts'
import type { HttpRequest, HttpResponse } from '../../http/message.ts'
import { problemResponse, statusOf } from '../../http/problem.ts'
import { jsonResponse } from '../../http/response.ts'
import { parseForm } from '../../http/url-encoded.ts'
import { donePage, formPage } from './setup-page.ts'

export function setupRoutes(setup: Setup): Route[] {
  return [
    { method: 'GET', path: '/setup', access: 'public', handler: showForm(setup) },
    { method: 'POST', path: '/setup', access: 'public', handler: makeFirstAdmin(setup) },
  ]
}

const MAX_BODY = 16_384
const JSON_LIMITS = { depth: 2, values: 10, keys: 10 }
const FORM_TYPE = 'application/x-www-form-urlencoded'

function showForm(setup: Setup): Handler {
  return async () => {
    if (!(await setup.isOpen())) throw notThere()
    return formPage(200, { place: setup.tokenPlace, token: '', name: '', problem: '' })
  }
}

function makeFirstAdmin(setup: Setup): Handler {
  return async (request) => {
    if (!(await setup.isOpen())) throw notThere()
    const isForm = isFormType(request.headers['content-type'])
    const fields = isForm ? await formFields(request) : await jsonFields(request)
    const { token, name } = fields
    try {
      const made = await setup.complete({ token, name, password: choiceOf(fields.password) })
      if (!made) throw notThere()
      return isForm ? donePage(name, made.generated) : doneDocument(name, made.generated)
    } catch (error) {
      if (!(error instanceof AppError) || !FOR_THE_FORM.includes(error.code)) throw error
      if (!isForm) return problemResponse(error)
      return formPage(statusOf(error.code), {
        place: setup.tokenPlace,
        token,
        name,
        problem: error.message,
      })
    }
  }
}

/** Refusals after which the person may try again with other words. */
const FOR_THE_FORM: readonly string[] = ['setup-token-wrong', 'bad-name', 'bad-field']

const notThere = () => new AppError('route-not-found', 'There is nothing at this path')

function choiceOf(password: string): PasswordChoice {
  return password === '' ? { kind: 'generate' } : { kind: 'chosen', password }
}

function doneDocument(name: string, password: string | undefined): HttpResponse {
  const account = { name, role: 'admin', ...(password !== undefined && { password }) }
  return jsonResponse(200, { status: 'ok', ...account }, { 'cache-control': 'no-store' })
}

type Fields = { readonly token: string; readonly name: string; readonly password: string }

function isFormType(type: string | undefined): boolean {
  return type?.split(';')[0]?.trim().toLowerCase() === FORM_TYPE
}

async function formFields(request: HttpRequest): Promise<Fields> {
  const form = parseForm(await readText(request, MAX_BODY))
  return {
    token: form.get('token') ?? '',
    name: form.get('name') ?? '',
    password: form.get('password') ?? '',
  }
}

async function jsonFields(request: HttpRequest): Promise<Fields> {
  const { members } = await readJson(request, MAX_BODY, JSON_LIMITS)
  if (!members) throw new AppError('bad-field', 'The body must be a JSON object', { field: '' })
  const text = (field: string): string => {
    const value: unknown = JSON.parse(members.get(field) ?? '""')
    if (typeof value === 'string') return value
    throw new AppError('bad-field', `${field} must be a string`, { field })
  }
  return { token: text('token'), name: text('name'), password: text('password') }
}
