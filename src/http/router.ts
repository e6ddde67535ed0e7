/**
 * From method and path to a route (the pattern language is that of `regexparam`).
 *
 * A path without parameters wins over one with them, and then hides it for every method. Patterns are
 * compiled when a path first needs them, because a process may serve one request only.
 */
import { parse } from 'regexparam'
import { AppError } from '../domain/app-error.ts'
import { BoundedMap } from '../kit/bounded-map.ts'
import type { Route, RouteParameters } from './handler.ts'

/** What stands under a path: a route for this method, or other methods only, or nothing. */
export type RouteMatch =
  | {
      readonly kind: 'route'
      readonly route: Route
      readonly parameters: RouteParameters
      readonly methods: Methods
    }
  | { readonly kind: 'other-methods'; readonly methods: Methods }
  | { readonly kind: 'none' }

/** Methods of the routes of a path, in the order of the routes; one may come more than once. */
export type Methods = readonly string[]

/** The methods that a client may use, for `Allow`. */
export function allowedMethods(registered: Methods, answersHead = true): readonly string[] {
  const head = answersHead && registered.includes('GET') ? ['HEAD'] : []
  return [...new Set([...registered, ...head, 'OPTIONS'])].sort()
}

export type Router = {
  /** @throws AppError `bad-request` where the path is not percent-encoded UTF-8 */
  find(method: string, path: string): RouteMatch
}

type Pattern = {
  readonly path: string
  /** Of the paths it fits; `undefined` where that may be any number. */
  readonly segments: number | undefined
  readonly routes: Route[]
  compiled?: { readonly keys: readonly string[]; readonly pattern: RegExp }
}

/** @param answersHead whether a HEAD without a route of its own is a GET whose body is left out */
export function createRouter(routes: readonly Route[], answersHead = true): Router {
  const fixed = new Map<string, Route[]>()
  const patterns = new Map<string, Pattern[]>()
  for (const route of routes) {
    if (/[:*]/.test(route.path)) addPattern(patterns, route)
    else fixed.set(route.path, [...(fixed.get(route.path) ?? []), route])
  }
  const find = (method: string, path: string): RouteMatch => {
    const plain = plainPath(path)
    const here = fixed.get(plain) ?? fixed.get(plain.replace(/\/$/, ''))
    const found = here
      ? [{ routes: here, parameters: {} }]
      : matches(patterns.get(firstSegment(plain)) ?? [], plain)
    return choose(method, found, answersHead)
  }
  // Clients ask for the same paths again and again.
  const known = new BoundedMap<string, Map<string, RouteMatch>>(MOST_KNOWN)
  return {
    find: (method, path) => {
      if (path.length > LONGEST_KNOWN) return find(method, path)
      const routes = known.get(path)
      const there = routes?.get(method)
      if (there) return there
      const match = find(method, path)
      // Methods that are no route's are as many as clients can think of.
      if (match.kind !== 'route') return match
      if (routes) routes.set(method, match)
      else known.set(path, new Map([[method, match]]))
      return match
    },
  }
}

/** Paths whose routes are kept in memory, and the characters that one may have. */
const MOST_KNOWN = 512
const LONGEST_KNOWN = 256

function addPattern(patterns: Map<string, Pattern[]>, route: Route): void {
  const first = firstSegment(route.path)
  const there = patterns.get(first) ?? []
  patterns.set(first, there)
  const same = there.find(({ path }) => path === route.path)
  if (same) same.routes.push(route)
  else there.push({ path: route.path, segments: fixedSegments(route.path), routes: [route] })
}

function fixedSegments(path: string): number | undefined {
  return /[*?]/.test(path) ? undefined : segmentsOf(path)
}

/** Of a path that may end in a slash. */
function segmentsOf(path: string): number {
  const end = path.endsWith('/') ? path.length - 1 : path.length
  let count = 0
  for (let at = path.indexOf('/'); at >= 0 && at < end; at = path.indexOf('/', at + 1)) count++
  return count
}

function firstSegment(path: string): string {
  const end = path.indexOf('/', 1)
  return end === -1 ? path : path.slice(0, end)
}

type Found = { readonly routes: readonly Route[]; readonly parameters: RouteParameters }

function matches(patterns: readonly Pattern[], plain: string): Found[] {
  const found: Found[] = []
  const segments = segmentsOf(plain)
  for (const pattern of patterns) {
    if (pattern.segments !== undefined && pattern.segments !== segments) continue
    pattern.compiled ??= compile(pattern.path)
    const match = pattern.compiled.pattern.exec(plain)
    if (match) {
      const values = pattern.compiled.keys.map((key, at) => [key, unescaped(match[at + 1] ?? '')])
      found.push({ routes: pattern.routes, parameters: Object.fromEntries(values) })
    }
  }
  return found
}

/** The library ignores case; we do not. */
function compile(path: string): { keys: readonly string[]; pattern: RegExp } {
  const { keys, pattern } = parse(path)
  return { keys, pattern: new RegExp(pattern.source) }
}

function choose(method: string, found: readonly Found[], answersHead: boolean): RouteMatch {
  const methods = found.flatMap(({ routes }) => routes.map((route) => route.method as string))
  for (const { routes, parameters } of found) {
    const route = routeFor(method, routes, answersHead)
    if (route) return { kind: 'route', route, parameters, methods }
  }
  return methods.length === 0 ? { kind: 'none' } : { kind: 'other-methods', methods }
}

function routeFor(
  method: string,
  routes: readonly Route[],
  answersHead: boolean,
): Route | undefined {
  const own = routes.find((route) => route.method === method)
  const isHead = answersHead && method === 'HEAD'
  return own ?? (isHead ? routes.find((route) => route.method === 'GET') : undefined)
}

/** The path as routes see it, or `undefined` where it is not percent-encoded UTF-8. */
export function decodedPath(path: string): string | undefined {
  try {
    return plainPath(path)
  } catch {
    return undefined
  }
}

/**
 * The path with every segment decoded, so that two ways to write a character are one path. `/` and `%` in a
 * segment stay escaped, so that no segment falls apart.
 */
function plainPath(path: string): string {
  if (!path.includes('%')) return path
  try {
    const segments = path.split('/').map(decodeURIComponent)
    return segments.map((segment) => segment.replace(/[%/]/g, encodeURIComponent)).join('/')
  } catch (error) {
    throw new AppError('bad-request', 'The path is not percent-encoded UTF-8', {}, error)
  }
}

function unescaped(segment: string): string {
  return segment.includes('%') ? decodeURIComponent(segment) : segment
}
