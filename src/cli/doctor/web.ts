/**
 * What the web server in front of the installed program lets through. Every question is harmless: credentials
 * that name nobody, a hash that nothing has, JSON that is not valid. Nothing is stored, and nothing counts as
 * a guess at a password but an account that is given and wrong, which counts once.
 */
import { ask, type Question, type Reply } from './ask.ts'
import { type Check, ok, problem, skipped, warning } from './check.ts'
import { LEAST_ADDRESS_SPACE_MIB } from './limits.ts'

export type Account = { readonly name: string; readonly password: string }

/** Body size that many firewalls refuse. */
const LARGE_BYTES = 200_000
const NO_HASH = '0'.repeat(64)
const USE_POST = 'Ask the host to allow it; appends and uploads also work with POST.'

type Asking = (question: Question) => Promise<Reply>

export async function checkWeb(base: string, account: Account | undefined): Promise<Check[]> {
  const asking: Asking = (question) => ask(base, question)
  const reached = await checkReached(asking)
  if (reached.verdict !== 'ok') return [reached]
  const credentials = account ? { authorization: basic(account) } : undefined
  const arrives = await checkAuthorization(asking)
  const right = credentials ? await checkAccount(asking, credentials) : undefined
  // Asked again with a wrong password, the program would count one guess after the other.
  const signedIn = right?.verdict === 'ok' ? credentials : undefined
  return [
    reached,
    arrives,
    ...(right ? [right] : []),
    await checkMethod(asking, 'PUT', '/events'),
    await checkMethod(asking, 'DELETE', `/storage/${NO_HASH}`),
    await checkBody(asking, 'chunked body', signedIn, { isChunked: true, size: 300 }),
    await checkBody(asking, '200 KB body', signedIn, { isChunked: false, size: LARGE_BYTES }),
    signedIn
      ? await checkConditional(asking, signedIn)
      : skipped('If-None-Match', 'needs a right account: --user NAME --password-stdin'),
  ]
}

function basic({ name, password }: Account): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}

async function checkReached(asking: Asking): Promise<Check> {
  const name = 'program answers'
  try {
    const reply = await asking({ method: 'GET', target: '/ping' })
    if (reply.status === 200 && reply.text.includes('Ping request')) return ok(name, '/ping')
    if (reply.code !== undefined) return ownFailure(name, reply)
    return problem(name, `/ping answers ${reply.status}`, fixOf(reply))
  } catch (error) {
    return problem(
      name,
      `no answer: ${(error as Error).message}`,
      'Check the address, and that the web server runs.',
    )
  }
}

function ownFailure(name: string, { code, text }: Reply): Check {
  const { setting } = JSON.parse(text) as { setting?: unknown }
  const message = `it refuses with code ${code}`
  if (code !== 'bad-setting' || typeof setting !== 'string') {
    return problem(name, message, `See docs/errors.md under "${code}".`)
  }
  return problem(
    name,
    `${message}: the setting ${setting} has a value that it cannot have`,
    'Correct it in the settings file or the environment of the program, whose log tells what is wrong with it.',
  )
}

/** The causes of a 500 without a word, the likeliest first. */
function fixOf({ status, text }: Reply): string {
  if (text.startsWith('\u007fELF')) {
    return 'The server sends the file instead of running it: see "Deployment" for ExecCGI and AddHandler.'
  }
  if (status === 500) {
    return (
      'The web server could not run it. In this order: chmod 755 the file; chmod 755 its folder; upload' +
      ' it again in binary mode; rename .htaccess for a moment: where the error changes, the host forbids a' +
      ' line of it (AllowOverride); compare its architecture; glibc 2.28 or newer;' +
      ` memory limit of ${LEAST_ADDRESS_SPACE_MIB} MiB.`
    )
  }
  if (status === 403)
    return 'The web server forbids running it here: use cgi-bin, or Options +ExecCGI.'
  if (status === 404)
    return 'There is nothing at this address: compare it with where the file lies.'
  if (status === 508) return 'The host has reached its limit of running requests: try again later.'
  return 'Something else answers at this address: compare it with where the file lies.'
}

/** Account and password are separated by a colon (RFC 7617); without it there is nothing to check or to count. */
const NO_PASSWORD = `Basic ${Buffer.from('doctor').toString('base64')}`

/** Credentials that cannot be right tell "they did not arrive" from "they are wrong". */
async function checkAuthorization(asking: Asking): Promise<Check> {
  const name = 'Authorization arrives'
  const headers = { authorization: NO_PASSWORD }
  const reply = await asking({ method: 'GET', target: '/health', headers })
  switch (reply.code) {
    case 'credentials-wrong':
      return ok(name, 'the program saw credentials and found them wrong, as it should')
    case 'credentials-missing':
      return keptBack(name)
    case 'setup-required':
      return skipped(name, 'there is no account yet: make one, then ask again')
    case undefined:
      // Without credentials the setting `anonymous` may let everybody in; with wrong ones nobody.
      if (reply.status === 200) return keptBack(name)
      return problem(
        name,
        `the web server answers ${reply.status} itself`,
        'Something in front asks for its own password or refuses the header: switch it off here.',
      )
    default:
      return skipped(name, `the program answers ${reply.code ?? reply.status}`)
  }
}

function keptBack(name: string): Check {
  return problem(
    name,
    'it did not arrive: the web server keeps the header to itself',
    'Put "CGIPassAuth On" into the .htaccess beside the program; where that is refused, use' +
      ' "RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]" as the first rule.',
  )
}

async function checkAccount(
  asking: Asking,
  headers: Readonly<Record<string, string>>,
): Promise<Check> {
  const name = 'account is right'
  const reply = await asking({ method: 'GET', target: '/health', headers })
  if (reply.status === 200) return ok(name, 'the store answers')
  return problem(
    name,
    `the answer is ${reply.code ?? reply.status}`,
    reply.code === 'credentials-wrong'
      ? 'Name and password do not belong together: apie user passwd NAME --generate'
      : `See docs/errors.md under "${reply.code ?? 'internal'}".`,
  )
}

async function checkMethod(asking: Asking, method: string, target: string): Promise<Check> {
  const name = `${method} arrives`
  const reply = await asking({ method, target, body: '' })
  if (reply.code !== undefined) return ok(name, `the program answers ${reply.code}`)
  return warning(name, `the web server answers ${reply.status} itself`, USE_POST)
}

/** White space and one wrong character: the place that the program names proves how much arrived. */
async function checkBody(
  asking: Asking,
  name: string,
  signedIn: Readonly<Record<string, string>> | undefined,
  { isChunked, size }: { readonly isChunked: boolean; readonly size: number },
): Promise<Check> {
  const headers = { 'content-type': 'application/json', ...signedIn }
  const body = `${' '.repeat(size)}!`
  const title = `${name} arrives`
  try {
    const reply = await asking({ method: 'POST', target: '/events', headers, body, isChunked })
    if (reply.code === 'bad-json') return checkWhole(title, reply, size + 1)
    if (reply.code !== undefined) return ok(title, `the program answers ${reply.code}`)
    return warning(title, `the web server answers ${reply.status} itself`, bodyFix(reply))
  } catch (error) {
    return warning(
      title,
      `no answer: ${(error as Error).message}`,
      'Ask the host what limits bodies.',
    )
  }
}

function checkWhole(title: string, reply: Reply, expected: number): Check {
  const { character } = JSON.parse(reply.text) as { character?: number }
  if (character === expected) return ok(title, 'every byte of it')
  return problem(
    title,
    `${character ?? 'an unknown number'} of ${expected} bytes arrived`,
    'Something in front changes bodies: ask the host.',
  )
}

function bodyFix({ status }: Reply): string {
  return status === 413
    ? 'Ask the host to raise LimitRequestBody (or SecRequestBodyNoFilesLimit); send smaller events.'
    : 'A firewall refuses it: ask the host to allow it for this address.'
}

async function checkConditional(
  asking: Asking,
  headers: Readonly<Record<string, string>>,
): Promise<Check> {
  const name = 'If-None-Match arrives'
  const target = '/events?limit=1'
  const first = await asking({ method: 'GET', target, headers })
  const etag = first.headers['etag']
  if (typeof etag !== 'string') return skipped(name, 'the log is empty or cannot be read')
  const second = await asking({
    method: 'GET',
    target,
    headers: { ...headers, 'if-none-match': etag },
  })
  if (second.status === 304) return ok(name, '304 for what is known')
  return warning(
    name,
    `the answer is ${second.status}, not 304`,
    'Something in front removes or rewrites the header: everything works, with more traffic.',
  )
}
