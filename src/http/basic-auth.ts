/**
 * Who asks, from the `Authorization` header (Basic, RFC 7617) or from the web server in front of us.
 *
 * What a name and a password are worth is `domain/sign-in.ts`; what the account may do `domain/access.ts`.
 */
import type { Principal, Role } from '../domain/account.ts'
import type { Accounts } from '../domain/accounts.ts'
import { AppError } from '../domain/app-error.ts'
import type { Setup } from '../domain/setup.ts'
import type { SignIn } from '../domain/sign-in.ts'
import type { Authenticate } from './handler.ts'
import type { HttpRequest } from './message.ts'
import type { Asked, RememberedSignIns } from './remembered-sign-ins.ts'

export type AuthenticateParts = {
  readonly signIn: SignIn
  /** Absent: each request signs in anew. */
  readonly remembered?: RememberedSignIns
  /** Whether anybody could sign in under a name. */
  readonly isKnownName: (name: string) => Promise<boolean>
  readonly accounts: Pick<Accounts, 'find'>
  readonly setup: Pick<Setup, 'isOpen'>
  readonly settings: {
    readonly anonymous: 'none' | Role
    /** Whether `remoteUser` of a request is believed. */
    readonly trustRemoteUser: boolean
  }
}

/**
 * In this order: the account that the web server names, where the setting says to believe it; the header;
 * the role that the setting gives to requests without credentials. Nothing of it works before there is an
 * account, except what that setting lets in. Where it lets everybody do everything, a name without an account
 * counts as no name: clients that always send credentials need none made for them.
 */
export function createAuthenticate(parts: AuthenticateParts): Authenticate {
  const { remembered, settings, setup } = parts
  return async (request) => {
    try {
      if (settings.trustRemoteUser && request.remoteUser) {
        return await remotePrincipal(parts.accounts, request.remoteUser)
      }
      const header = request.headers['authorization']?.trim()
      // A rewrite rule turns a header that is absent into one that is empty.
      if (!header) return anonymousPrincipal(settings.anonymous)
      const ask = () => headerPrincipal(parts, header, request.remoteAddress)
      if (!remembered) return (await ask()).principal
      const found = remembered.find(header, ask)
      return found instanceof Promise ? await found : found
    } catch (error) {
      if (error instanceof AppError && (await setup.isOpen())) throw setupRequired(request)
      throw error
    }
  }
}

async function headerPrincipal(
  { signIn, isKnownName, settings }: AuthenticateParts,
  header: string,
  address: string,
): Promise<Asked> {
  const { name, password } = parseBasic(header)
  if (settings.anonymous === 'admin' && !(await isKnownName(name))) {
    return { principal: anonymousPrincipal('admin'), mayBeRemembered: true }
  }
  const { isGuessable, ...account } = await signIn(name, password, address)
  return { principal: { ...account, isAnonymous: false }, mayBeRemembered: !isGuessable }
}

async function remotePrincipal(
  accounts: AuthenticateParts['accounts'],
  name: string,
): Promise<Principal> {
  const account = await accounts.find(name)
  if (account && !account.isDisabled) {
    const { role, groups } = account
    return { name: account.name, role, isAnonymous: false, ...(groups && { groups }) }
  }
  const message = 'The web server has signed you in, but there is no account of this name here'
  throw new AppError('access-denied', message)
}

function anonymousPrincipal(role: 'none' | Role): Principal {
  if (role !== 'none') return { name: 'anonymous', role, isAnonymous: true }
  throw new AppError(
    'credentials-missing',
    'No credentials arrived: the request has no Authorization header',
    {
      header: 'Authorization',
      hint: 'If one was sent, the web server keeps it from this program. Under Apache put "CGIPassAuth On" into the .htaccess file, or as the first rule "RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]". See "Authorization" in docs/hosting.md.',
    },
  )
}

function setupRequired({ mount }: HttpRequest): AppError {
  return new AppError(
    'setup-required',
    'There is no account yet. Open the set-up page, or make one with "apie user add NAME --role admin --generate"',
    { setup: `${mount}/setup` },
  )
}

type Credentials = { readonly name: string; readonly password: string }

/** @throws AppError `credentials-wrong` that tells what is wrong with the form of the header */
function parseBasic(header: string): Credentials {
  if (!/^basic( |$)/i.test(header)) throw malformed('is not of the scheme Basic')
  // Gateways join a header that came twice with a comma.
  if (header.includes(',')) throw malformed('came more than once')
  const bytes = strictBase64(header.slice('basic'.length).trim())
  const text = bytes?.toString('utf8')
  if (bytes === undefined || text === undefined) throw malformed('is not valid Base64')
  if (!Buffer.from(text).equals(bytes)) throw malformed('is not UTF-8 inside its Base64')
  const colon = text.indexOf(':')
  if (colon < 0) throw malformed('has no ":" between account and password')
  return { name: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** Buffer alone takes nearly everything; RFC 4648 has one way to write each sequence of bytes. */
function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return text !== '' && bytes.toString('base64') === text ? bytes : undefined
}

function malformed(problem: string): AppError {
  return new AppError('credentials-wrong', `The Authorization header ${problem}`)
}
