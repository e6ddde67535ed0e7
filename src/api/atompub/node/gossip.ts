/** `GET /gossip`: a cluster of one node, which leads it. */
import type { EventLog } from '../../../domain/event-log.ts'
import type { Handler } from '../../../http/handler.ts'
import { publicBase } from '../base-url.ts'
import { indentedJson } from '../json-document.ts'
import type { NodeFacts } from './statistics.ts'

/** Nodes are told apart by it; there are no others. */
const NO_ID = '00000000-0000-0000-0000-000000000000'

export function readGossip(
  events: EventLog,
  { clock }: NodeFacts,
  settings: { readonly baseUrl: string },
): Handler {
  return async (request) => {
    const { host, port } = addressOf(publicBase(request, settings.baseUrl))
    const position = (await events.head()).count - 1
    const member = {
      instanceId: NO_ID,
      timeStamp: new Date(clock.now()).toISOString(),
      state: 'Leader',
      isAlive: true,
      internalTcpIp: host,
      internalTcpPort: 0,
      internalSecureTcpPort: 0,
      externalTcpIp: host,
      externalTcpPort: 0,
      externalSecureTcpPort: 0,
      internalHttpIp: host,
      internalHttpPort: port,
      externalHttpIp: host,
      externalHttpPort: port,
      httpEndPointIp: host,
      httpEndPointPort: port,
      lastCommitPosition: position,
      writerCheckpoint: position,
      chaserCheckpoint: position,
      epochPosition: 0,
      epochNumber: 0,
      epochId: NO_ID,
      nodePriority: 0,
      isReadOnlyReplica: false,
    }
    return indentedJson(200, { members: [member], serverIp: host, serverPort: port })
  }
}

function addressOf(base: string): { readonly host: string; readonly port: number } {
  const [, scheme, host = '', port] = /^(https?):\/\/([^/]*?)(?::(\d+))?(?:\/|$)/.exec(base) ?? []
  return { host, port: Number(port ?? (scheme === 'https' ? 443 : 80)) }
}
