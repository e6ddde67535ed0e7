/** What requests without credentials may do to streams, by the role that the setting gives them. */
import { expect, it } from 'vitest'
import { get, type Send, signedIn } from '../../gateway/corpus-request.ts'
import { uuid } from '../../support/drafts.ts'
import { openTestApp } from '../../support/test-app.ts'

const post = (send: Send, path: string, type: string, body: string, n: number) =>
  send({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', 'es-eventtype': type, 'es-eventid': uuid(n) },
    body,
  })

/** Streams: one for everybody, one whose list names admins, one that names everybody for what only writers do. */
async function opened(anonymous: string): Promise<Send> {
  const { send } = await openTestApp({ environment: { APIE_ANONYMOUS: anonymous } })
  const admin = signedIn(send)
  for (const [at, stream] of ['open', 'closed', 'public', '$system'].entries()) {
    expect((await post(admin, `/streams/${stream}`, 't', '{}', at)).status).toBe(201)
  }
  const all = '{"$acl":{"$r":"$all","$w":"$all","$d":"$all","$mr":"$all","$mw":"$all"}}'
  for (const [at, [stream, document]] of [
    ['closed', '{"$acl":{"$r":["$admins","anonymous"],"$w":"$admins","$mr":[]}}'],
    ['public', all],
  ].entries()) {
    const answer = await post(admin, `/streams/$$${stream}`, '$metadata', document ?? '', 50 + at)
    expect(answer.status).toBe(201)
  }
  return send
}

const ASKED: readonly (readonly [string, (send: Send) => ReturnType<Send>])[] = [
  ['reads a stream', (send) => get(send, '/streams/open')],
  ['reads an event', (send) => get(send, '/streams/open/0')],
  ['reads metadata', (send) => get(send, '/streams/open/metadata')],
  ['reads a closed stream', (send) => get(send, '/streams/closed')],
  ['reads closed metadata', (send) => get(send, '/streams/closed/metadata')],
  ['reads the system', (send) => get(send, '/streams/$system')],
  ['reads the log', (send) => get(send, '/streams/$all')],
  ['writes', (send) => post(send, '/streams/open', 't', '{}', 90)],
  ['writes to a closed stream', (send) => post(send, '/streams/closed', 't', '{}', 91)],
  ['writes to a public stream', (send) => post(send, '/streams/public', 't', '{}', 92)],
  ['writes metadata', (send) => post(send, '/streams/public/metadata', '$metadata', '{}', 93)],
  ['deletes', (send) => send({ method: 'DELETE', path: '/streams/open' })],
]

it.each([
  ['none', [401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 401]],
  ['reader', [200, 200, 200, 401, 401, 401, 401, 401, 401, 401, 401, 401]],
  ['writer', [200, 200, 200, 401, 401, 401, 401, 201, 401, 201, 201, 204]],
  ['admin', [200, 200, 200, 200, 200, 200, 200, 201, 201, 201, 201, 204]],
])('who names no account is a %s', async (role, statuses) => {
  const send = await opened(role)
  for (const [at, [what, ask]] of ASKED.entries()) {
    expect([role, what, (await ask(send)).status]).toEqual([role, what, statuses[at]])
  }
})
