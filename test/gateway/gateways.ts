/** Every gateway there is, one line each: all of them run through the request corpus. */
import { postgresUrl } from '../support/postgres-cluster.ts'
import type { Send } from './corpus.ts'
import { openInProcess } from './senders/in-process.ts'
import { openOnPostgres } from './senders/on-postgres.ts'
import { openCgi } from './senders/one-process-a-request.ts'
import { openStandalone } from './senders/standalone.ts'

/** A gateway on an empty store whose one account is `a@b.c` with password `pw` and role admin. */
export type OpenGateway = { readonly send: Send; close(): Promise<void> }

export type Gateway = { readonly name: string; open(dataFolder: string): Promise<OpenGateway> }

const clusterUrl = postgresUrl()

export const gateways: readonly Gateway[] = [
  { name: 'the app in process', open: openInProcess },
  { name: 'CGI over pipes', open: (dataFolder) => openCgi('pipe', dataFolder) },
  { name: 'CGI over one socket', open: (dataFolder) => openCgi('socket', dataFolder) },
  { name: 'the standalone server', open: (dataFolder) => openStandalone(dataFolder) },
  ...(clusterUrl === undefined
    ? []
    : [
        {
          name: 'the standalone server, on PostgreSQL',
          open: (dataFolder: string) => openOnPostgres(clusterUrl, dataFolder),
        },
      ]),
]
