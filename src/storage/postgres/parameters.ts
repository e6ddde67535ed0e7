/**
 * The names that may stand behind `?` in the address of a database. One that nobody knows is left to the
 * driver, since hosts add some of their own (`pgbouncer=true`); one that is nearly a known one is a mistake.
 */
import { nearest } from '../../kit/nearest.ts'

/** Ours, those of the driver, and those of libpq (PostgreSQL manual, 32.1.2), which URLs are copied with. */
const KNOWN = `pool options
  binary client client_encoding connectionTimeoutMillis database db enableChannelBinding encoding
  fallback_application_name application_name idle_in_transaction_session_timeout idleTimeoutMillis keepAlive
  keepAliveInitialDelayMillis lock_timeout max maxLifetimeSeconds maxUses min parseInputDatesAsUTC
  allowExitOnIdle query_timeout replication scramMaxIterations ssl statement_timeout uselibpqcompat
  channel_binding connect_timeout dbname gssdelegation gssencmode gsslib host hostaddr keepalives
  keepalives_count keepalives_idle keepalives_interval krbsrvname load_balance_hosts max_protocol_version
  min_protocol_version oauth_client_id oauth_client_secret oauth_issuer oauth_scope passfile password port
  require_auth requirepeer requiressl scram_client_key scram_server_key service servicefile
  ssl_max_protocol_version ssl_min_protocol_version sslcert sslcertmode sslcompression sslcrl sslcrldir sslkey
  sslkeylogfile sslmode sslnegotiation sslpassword sslrootcert sslsni target_session_attrs tcp_user_timeout
  user`.split(/\s+/)

/** Edits that a slip of the fingers makes; more would take the names of others for ours. */
const slips = (name: string): number => (name.length < 8 ? 1 : 2)

/** The first name that is a slip of a known one, with that one. */
export function mistakenParameter(
  names: Iterable<string>,
): { readonly given: string; readonly meant: string } | undefined {
  for (const given of names) {
    if (KNOWN.includes(given) || !/^[A-Za-z_-]{2,40}$/.test(given)) continue
    const meant = nearest(given, KNOWN, slips)
    if (meant !== undefined) return { given, meant }
  }
  return undefined
}
