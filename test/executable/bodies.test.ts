/** Request bodies: read to their end before anything is answered, and counted before anything is stored. */
import { expect, it } from 'vitest'
import { describeVariants } from '../support/apache-variants.ts'
import { run } from '../support/executable.ts'
import { sendRaw } from '../support/http-client.ts'
import { countEvents, errorCode, inParallel, useApache } from '../support/use-apache.ts'

const SIZES = [100, 60_000, 300_000, 3_000_000]
const REFUSALS = [
  { status: 401, method: 'POST', path: '/events', headers: { authorization: 'Basic Og==' } },
  { status: 404, method: 'POST', path: '/nope', headers: {} },
  { status: 405, method: 'PATCH', path: '/events', headers: {} },
  { status: 413, method: 'POST', path: '/events', headers: {} },
  { status: 415, method: 'POST', path: '/events', headers: { 'content-encoding': 'gzip' } },
]

/** A body in chunks of 16 KiB. */
function inChunks(body: Buffer): Buffer[] {
  const count = Math.ceil(body.length / 16_384)
  return Array.from({ length: count }, (_, n) => body.subarray(n * 16_384, (n + 1) * 16_384))
}

describeVariants('refused requests with a body', (variant) => {
  const apache = useApache({ variant, shape: 'script-alias', settings: { maxEventBytes: 50 } })

  it.each(SIZES)('of %i bytes get the whole answer, with a length or in chunks', async (size) => {
    const body = Buffer.alloc(size, 'x')
    const requests = REFUSALS.flatMap((refusal) => [
      { ...refusal, body },
      { ...refusal, body: inChunks(body) },
    ])
    await inParallel(requests, 4, async (request) => {
      const answer = await apache().send(request.path, request)
      expect(answer.status, answer.text).toBe(request.status)
      expect(errorCode(answer.text)).toEqual(expect.any(String))
    })
  })
})

describeVariants('bodies that are taken', (variant) => {
  const apache = useApache({ variant, shape: 'script-alias' })
  const append = (body: string | Buffer[]) => apache().send('/events', { method: 'POST', body })

  it('may be as large as the answer without blocking each other', async () => {
    const body = JSON.stringify({ eventType: 'large', body: 'x'.repeat(3_000_000) })
    // Where both sides wait for each other, Apache ends it after its Timeout.
    const answer = await append(body)
    expect(answer.status).toBe(200)
    expect(answer.bytes.length).toBeGreaterThan(3_000_000)
  })

  it('are the same with a length and in chunks', async () => {
    const body = '{"eventType":"same","body":{"x":1}}'
    const plain = JSON.parse((await append(body)).text)
    const chunked = JSON.parse(
      (await append([Buffer.from(body.slice(0, 9)), Buffer.from(body.slice(9))])).text,
    )
    expect(chunked).toMatchObject({ eventType: plain.eventType, body: plain.body })
  })

  it.each([
    ['shorter than the body', 10],
    ['longer than the body', 90],
  ])('are refused where the announced length is %s', async (_name, length) => {
    const before = await countEvents(apache())
    const { port, path, authorization } = apache()
    const answer = await sendRaw(
      port,
      `POST ${path}/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${authorization}\r\n` +
        `Content-Length: ${length}\r\n\r\n{"eventType":"t","body":{"x":1}}`,
      { end: true },
    )
    expect(answer === '' || / 400 /.test(answer.split('\r\n')[0] ?? ''), answer).toBe(true)
    expect(await countEvents(apache())).toBe(before)
  })

  it('come back byte for byte to a client that reads slowly', async () => {
    const bytes = Buffer.from(Array.from({ length: 12_000_000 }, (_, n) => (n * 7919) >> 3))
    const upload = await apache().send('/storage/slow.bin', { method: 'PUT', body: bytes })
    expect(upload.status, upload.text).toBe(200)
    const { hash } = JSON.parse(upload.text) as { hash: string }
    const { url, password } = apache()
    const script = `curl -sS --limit-rate 4M -u "admin:$PASSWORD" "$URL/storage/${hash}" | sha256sum`
    const environment = { PATH: '/usr/bin:/bin', PASSWORD: password, URL: url }
    const slow = await run('bash', ['-c', script], { environment })
    expect(slow.out.slice(0, 64), slow.err).toBe(hash)
  })
})
