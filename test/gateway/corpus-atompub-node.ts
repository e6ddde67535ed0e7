/** Cases about what the AtomPub API tells of the node, and what operators do to it. */
import { expect } from 'vitest'
import {
  append,
  basic,
  type CorpusCase,
  FORWARDED,
  get,
  json,
  type Send,
  serverCase,
  signedInCase,
} from './corpus-request.ts'

const addUser = (send: Send, loginName: string, groups: readonly string[]) =>
  send({
    method: 'POST',
    path: '/users',
    headers: { 'content-type': 'application/json', ...FORWARDED },
    body: JSON.stringify({ loginName, fullName: '', groups, password: 'pw' }),
  })

export const ATOMPUB_NODE_CASES: readonly CorpusCase[] = [
  {
    name: 'ping answers in the type that is asked for, to anybody',
    run: async (send) => {
      const text = 'Ping request successfully handled'
      const xml = `<?xml version="1.0" encoding="utf-8"?><TextMessage><Text>${text}</Text></TextMessage>`
      const answers = [
        ['application/json, text/plain, */*', 'application/json', `{"text":"${text}"}`],
        ['text/plain', 'text/plain', text],
        ['application/xml', 'application/xml', xml],
        ['text/xml', 'text/xml', xml],
        ['image/png', 'application/json', `{"text":"${text}"}`],
      ]
      for (const [accept = '', type, body] of answers) {
        const answer = await get(send, '/ping', { accept })
        expect(answer).toMatchObject({
          status: 200,
          headers: {
            'content-type': `${type}; charset=utf-8`,
            vary: expect.stringMatching(/Authorization, ?Accept/),
          },
        })
        expect(answer.body.toString()).toBe(body)
      }
    },
  },
  {
    name: 'liveness answers with the status that is asked for',
    meetsServer: true,
    run: async (send) => {
      expect((await get(send, '/health/live')).status).toBe(204)
      expect((await get(send, '/health/live?liveCode=200')).status).toBe(200)
      expect((await send({ method: 'HEAD', path: '/health/live' })).status).toBe(204)
      for (const code of ['100', '600', 'x', '']) {
        expect((await get(send, `/health/live?liveCode=${code}`)).status).toBe(400)
      }
    },
  },
  signedInCase('information has the keys that clients of EventStoreDB look for', async (send) => {
    const answer = await get(send, '/info')
    expect(json(answer)).toMatchObject({
      name: 'apie',
      esVersion: '21.10.0.0',
      state: 'leader',
      projectionsMode: 'None',
      features: { projections: false, userManagement: true, atomPub: true },
      authentication: { type: 'internal' },
    })
  }),
  signedInCase('settings are not told to everybody', async (send) => {
    await addUser(send, 'writer', ['x'])
    expect((await get(send, '/info/options', basic('writer', 'pw'))).status).toBe(401)
  }),
  signedInCase('gossip is that of one node, which leads', async (send) => {
    await append(send, 3)
    const answer = await get(send, '/gossip', FORWARDED)
    expect(answer.status).toBe(200)
    expect(json(answer)).toMatchObject({
      members: [
        {
          state: 'Leader',
          isAlive: true,
          httpEndPointIp: 'apie.example',
          httpEndPointPort: 2113,
          lastCommitPosition: 2,
        },
      ],
      serverIp: 'apie.example',
      serverPort: 2113,
    })
    const { members } = json(answer) as { members: object[] }
    expect(members.map((member) => Object.keys(member))).toEqual([
      [
        ...['instanceId', 'timeStamp', 'state', 'isAlive'],
        ...['internalTcpIp', 'internalTcpPort', 'internalSecureTcpPort'],
        ...['externalTcpIp', 'externalTcpPort', 'externalSecureTcpPort'],
        ...['internalHttpIp', 'internalHttpPort', 'externalHttpIp', 'externalHttpPort'],
        ...['httpEndPointIp', 'httpEndPointPort', 'lastCommitPosition'],
        ...['writerCheckpoint', 'chaserCheckpoint', 'epochPosition', 'epochNumber', 'epochId'],
        ...['nodePriority', 'isReadOnlyReplica'],
      ],
    ])
  }),
  signedInCase('what is told of the node comes in XML to whoever asks for it', async (send) => {
    for (const [path, body] of [
      ['/stats/es', '<Node><events>0</events></Node>'],
      ['/stats/tcp', '<Node />'],
      ['/sys/subsystems', '<Node><item>PersistentSubscriptions</item></Node>'],
    ] as const) {
      for (const answer of [
        await get(send, path, { accept: 'text/xml' }),
        await get(send, `${path}?format=xml`, { accept: 'application/json' }),
      ]) {
        expect(answer.headers['content-type']).toBe('text/xml; charset=utf-8')
        expect(answer.body.toString()).toBe(`<?xml version="1.0" encoding="utf-8"?>${body}`)
      }
    }
    expect((await get(send, '/stats/es?format=text')).status).toBe(406)
  }),
  signedInCase('statistics have branches', async (send) => {
    await append(send, 2)
    const answer = await get(send, '/stats/es')
    expect(answer.headers['cache-control']).toBe('max-age=1, private')
    expect(json(answer)).toEqual({ events: 2 })
    expect(json(await get(send, '/stats/es/events'))).toBe(2)
    expect(json(await get(send, '/stats/es?metadata=true'))).toEqual({
      events: { value: 2, title: null, unit: null },
    })
    for (const path of ['/stats/none', '/stats/es/events/more', '/stats/es/toString']) {
      expect((await get(send, path)).status).toBe(404)
    }
    expect(json(await get(send, '/stats/replication'))).toEqual([])
    expect(json(await get(send, '/stats/tcp'))).toEqual([])
  }),

  signedInCase('subsystems are listed', async (send) => {
    expect(json(await get(send, '/sys/subsystems'))).toEqual(['PersistentSubscriptions'])
  }),
  serverCase('the pages of the other server lead to ours', async (send) => {
    for (const path of ['/web', '/web/index.html']) {
      const answer = await get(send, path, FORWARDED)
      expect(answer.status).toBe(302)
      expect(answer.headers['location']).toMatch(/^http:\/\/apie\.example:2113(\/.*)?\/$/)
    }
  }),
  signedInCase('operators may ask for what has no meaning here', async (send) => {
    await addUser(send, 'writer', [])
    await addUser(send, 'operator', ['$ops'])
    const paths = ['mergeindexes', 'reloadconfig', 'node/resign', 'node/priority/3']
    for (const path of paths.map((name) => `/admin/${name}`)) {
      const as = async (name: string) =>
        (await send({ method: 'POST', path, headers: basic(name, 'pw') })).status
      expect([path, await as('operator'), await as('writer')]).toEqual([path, 200, 401])
    }
    for (const [method, path] of [
      ['POST', '/admin/shutdown'],
      ['DELETE', '/admin/scavenge/current'],
      ['GET', '/admin/scavenge/current'],
    ] as const) {
      expect((await send({ method, path, headers: basic('writer', 'pw') })).status).toBe(401)
    }
  }),
  serverCase('scavenging is started by operators and told of afterwards', async (send) => {
    await addUser(send, 'writer', [])
    await addUser(send, 'operator', ['$ops'])
    const start = (name: string, query?: string) =>
      send({
        method: 'POST',
        path: '/admin/scavenge',
        headers: basic(name, 'pw'),
        ...(query !== undefined && { query }),
      })
    expect((await start('writer')).status).toBe(401)
    for (const query of ['startFromChunk=-1', 'threads=0', 'threads=x']) {
      expect((await start('operator', query)).status).toBe(400)
    }
    expect(json(await get(send, '/admin/scavenge/last'))).toEqual({})
    const started = await start('operator', 'startFromChunk=0&threads=2')
    expect(started.status).toBe(200)
    const { scavengeId } = json(started) as { scavengeId: string }
    expect(scavengeId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    const none = { method: 'DELETE', path: `/admin/scavenge/${scavengeId.replace(/./g, '0')}` }
    expect((await send(none)).status).toBe(404)
    expect((await get(send, '/admin/scavenge/none')).status).toBe(404)
    expect((await get(send, '/admin/scavenge/last', basic('writer', 'pw'))).status).toBe(401)
  }),
  {
    name: 'OPTIONS tells pages of other origins what they may send, without credentials',
    run: async (send) => {
      const answer = await send({ method: 'OPTIONS', path: '/users/a' })
      expect(answer.status).toBe(200)
      expect(answer.body.toString()).toBe('')
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET, PUT, DELETE, OPTIONS',
        'access-control-expose-headers': 'Location, ES-Position, ES-CurrentVersion',
      })
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
    },
  },
  {
    name: 'what is told of the node is not for everybody',
    run: async (send) => {
      for (const path of ['/stats', '/gossip', '/info', '/info/options', '/sys/subsystems']) {
        expect([path, (await get(send, path)).status]).toEqual([path, 401])
      }
    },
  },
]
