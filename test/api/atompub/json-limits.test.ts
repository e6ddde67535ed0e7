/** One event of JSON that is more than the settings allow: refused as in a batch, and never made a text. */
import { expect, it } from 'vitest'
import { ask, id, postBatch, postEvent, read } from '../../gateway/atompub-request.ts'
import { signedIn } from '../../gateway/corpus-request.ts'
import { openTestApp } from '../../support/test-app.ts'

const environment = {
  APIE_MAX_JSON_DEPTH: '5',
  APIE_MAX_JSON_KEYS: '9',
  APIE_MAX_JSON_VALUES: '20',
}

async function openSend() {
  const { send, store } = await openTestApp({ environment })
  return { send: signedIn(send), count: async () => (await store.log.head()).count }
}

const wide = (keys: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: keys }, (_, n) => [`k${n}`, n])))

it.each([
  ['too deep', '[[[[[[1]]]]]]'],
  ['of too many keys', wide(10)],
  ['of too many values', JSON.stringify(Array(20).fill(0))],
  ['of too many keys, with white space', wide(10).replaceAll(',', ', ')],
])('JSON that is %s is 400', async (_name, body) => {
  const { send, count } = await openSend()
  const answers = [
    await postEvent(send, 's', 1, {}, body),
    await ask(
      send,
      'POST',
      `/streams/s/incoming/${id(1)}`,
      { 'content-type': 'application/json', 'es-eventtype': 't' },
      body,
    ),
    await ask(
      send,
      'POST',
      '/streams/s/metadata',
      { 'content-type': 'application/json', 'es-eventid': id(1) },
      body,
    ),
  ]
  for (const answer of answers) {
    expect([answer.status, answer.body.toString()]).toEqual([
      400,
      expect.stringMatching(/^Write request body invalid\. (Nested|More)/),
    ])
  }
  expect(await count()).toBe(0)
})

it('a batch is refused for the same, in the same words', async () => {
  const { send, count } = await openSend()
  const data = JSON.parse(wide(10)) as unknown
  const answer = await postBatch(send, 's', [{ eventId: id(1), eventType: 't', data }])
  expect([answer.status, answer.body.toString()]).toEqual([
    400,
    expect.stringMatching(/^Write request body invalid\. More than 9 keys/),
  ])
  expect(await count()).toBe(0)
})

it.each(['[[[[[[1]]]]]', `${wide(10)}x`, '{a:1}', '{"a":1,"a":2}'])(
  'what is no JSON for us is kept as it came, however much: %s',
  async (body) => {
    const { send } = await openSend()
    expect((await postEvent(send, 's', 1, {}, body)).status).toBe(201)
    const answer = await read(send, '/streams/s/0', { accept: 'application/octet-stream' })
    expect(answer.body.toString()).toBe(body)
  },
)
