/**
 * The settings: one table from which parsing (`config.ts`), help and the README's list are made.
 */

export type SettingKind =
  | { readonly type: 'text' | 'stream' }
  /** Is told to nobody, not even in a refusal. `least`: characters, where there are any. */
  | { readonly type: 'secret'; readonly least: number }
  | { readonly type: 'url' }
  | { readonly type: 'origins' }
  | { readonly type: 'flag' }
  | { readonly type: 'number'; readonly min: number; readonly max: number }
  | { readonly type: 'choice'; readonly choices: readonly string[] }

type Row<T> = SettingKind & {
  /** Name of the environment variable. */
  readonly variable: string
  readonly fallback: T
  /** One line for help and README: effect, unit, cost, danger. */
  readonly doc: string
}

const text = (variable: string, fallback: string, doc: string): Row<string> => ({
  type: 'text',
  variable,
  fallback,
  doc,
})
const url = (variable: string, doc: string): Row<string> => ({
  type: 'url',
  variable,
  fallback: '',
  doc,
})
const secret = (
  variable: string,
  least: number,
  doc: string,
): Row<string> & { readonly least: number } => ({
  type: 'secret',
  variable,
  fallback: '',
  least,
  doc,
})
const origins = (variable: string, doc: string): Row<readonly string[]> => ({
  type: 'origins',
  variable,
  fallback: [],
  doc,
})
const flag = (variable: string, fallback: boolean, doc: string): Row<boolean> => ({
  type: 'flag',
  variable,
  fallback,
  doc,
})
const number = (
  variable: string,
  fallback: number,
  doc: string,
  min = 1,
  max = Number.MAX_SAFE_INTEGER,
): Row<number> => ({ type: 'number', variable, fallback, doc, min, max })
const choice = <T extends string>(
  variable: string,
  fallback: T,
  choices: readonly T[],
  doc: string,
): Row<T> & { readonly choices: readonly T[] } => ({
  type: 'choice',
  variable,
  fallback,
  choices,
  doc,
})

const KiB = 1024
const MiB = 1024 * KiB
/** A timer of Node that is set to more runs at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Every setting. The key is its name in the settings file. */
export const SETTINGS = {
  data: text(
    'APIE_DATA',
    '',
    'data folder; default: `apie-data` outside the document root, see docs/hosting.md',
  ),
  store: text(
    'APIE_STORE',
    '',
    'engine URL: `file:DIR`, `postgresql://…`, `mongodb://…` or `memory:`; default: `file:` of the data folder; see docs/engines.md',
  ),
  anonymous: choice(
    'APIE_ANONYMOUS',
    'none',
    ['none', 'reader', 'writer', 'admin'],
    'role of requests without credentials',
  ),
  baseUrl: url(
    'APIE_BASE_URL',
    'public base of links, with `http` or `https`; default: as the request came in',
  ),
  host: text('APIE_HOST', '127.0.0.1', 'address that `apie serve` listens on'),
  port: number(
    'APIE_PORT',
    8000,
    'port that `apie serve` listens on; 0 picks a free one',
    0,
    65535,
  ),
  setupToken: secret(
    'APIE_SETUP_TOKEN',
    20,
    'token of the set-up page, at least 20 characters chosen at random, for hosts where the file `setup-token` cannot be read',
  ),
  trustRemoteUser: flag(
    'APIE_TRUST_REMOTE_USER',
    false,
    'take the account from REMOTE_USER when the web server has authenticated the request',
  ),
  htpasswd: text(
    'APIE_HTPASSWD',
    '',
    'htpasswd file read beside the accounts (bcrypt lines), never written',
  ),
  corsOrigins: origins(
    'APIE_CORS_ORIGINS',
    'origins whose pages may call the APIs, separated by commas, each as browsers send it (`https://example.org`); there is no `*`',
  ),
  maxEventBytes: number('APIE_MAX_EVENT_BYTES', 4 * MiB, 'largest body of an append, in bytes'),
  maxBatchBytes: number(
    'APIE_MAX_BATCH_BYTES',
    32 * MiB,
    'largest body of an append of several events under `/streams`, in bytes',
  ),
  maxContentBytes: number('APIE_MAX_CONTENT_BYTES', 4 * KiB * MiB, 'largest upload, in bytes'),
  maxJsonDepth: number('APIE_MAX_JSON_DEPTH', 64, 'deepest nesting of JSON that is taken', 1, 256),
  maxJsonValues: number('APIE_MAX_JSON_VALUES', 100_000, 'most values in one JSON text'),
  maxJsonKeys: number('APIE_MAX_JSON_KEYS', 1000, 'most keys in one JSON object'),
  maxPageEvents: number(
    'APIE_MAX_PAGE_EVENTS',
    1000,
    'largest `limit` of a range of events',
    1,
    100_000,
  ),
  maxFeedEvents: number(
    'APIE_MAX_FEED_EVENTS',
    4096,
    'most events on one page of a stream under `/streams`',
    1,
    100_000,
  ),
  feedCaching: flag(
    'APIE_FEED_CACHING',
    true,
    'let caches keep what cannot change any more under `/streams`; without it they ask each time',
  ),
  maxGroupMessages: number(
    'APIE_MAX_GROUP_MESSAGES',
    1000,
    'most messages of a subscription group that consumers hold or that wait for a retry',
    1,
    10_000,
  ),
  maxLongPollMs: number(
    'APIE_MAX_LONG_POLL_MS',
    60_000,
    'longest wait of a reader for events that are not there yet, in ms; under `apie serve`',
  ),
  maxCgiLongPollMs: number(
    'APIE_MAX_CGI_LONG_POLL_MS',
    5000,
    'the same for CGI, where each reader who waits is a process, in ms',
  ),
  openMetrics: flag(
    'APIE_OPEN_METRICS',
    false,
    'answer `/api/v1/metrics` without credentials; it names streams, producers and consumers',
  ),
  maxStatisticsStreams: number(
    'APIE_MAX_STATISTICS_STREAMS',
    10_000,
    'most streams that a statistic, the metrics or a search of `/api/v1` look at',
  ),
  maxSearchEvents: number(
    'APIE_MAX_SEARCH_EVENTS',
    100_000,
    'most events that `/api/v1/search` looks through, the latest first',
  ),
  maxSearchResults: number('APIE_MAX_SEARCH_RESULTS', 100, 'most results of `/api/v1/search`'),
  lockTimeoutMs: number(
    'APIE_LOCK_TIMEOUT_MS',
    8000,
    'longest wait for the lock of the log, in ms',
  ),
  bodyTimeoutMs: number(
    'APIE_BODY_TIMEOUT_MS',
    60_000,
    'time in which a request body has to come, in ms; under `apie serve`: to come on at 500 bytes a second',
  ),
  requestTimeoutMs: number(
    'APIE_REQUEST_TIMEOUT_MS',
    120_000,
    'longest life of a CGI request, in ms',
  ),
  segmentBytes: number(
    'APIE_SEGMENT_BYTES',
    64 * MiB,
    'size at which a new file of the log is begun, in bytes',
    4 * KiB,
    2 * KiB * MiB - 1,
  ),
  sync: choice(
    'APIE_SYNC',
    'on',
    ['on', 'unsafe-off'],
    '`unsafe-off` answers before data is on disk: a loss of power loses acknowledged events',
  ),
  allowUnsafeData: flag(
    'APIE_ALLOW_UNSAFE_DATA',
    false,
    'work with a data folder that other users of the machine can read or write',
  ),
  brokerStream: {
    ...text('APIE_BROKER_STREAM', 'broker', 'stream of `apie broker`, one without `$` in front'),
    type: 'stream',
  },
  brokerApiUrl: text(
    'APIE_BROKER_API_URL',
    '',
    'base of the API that `apie broker process` calls: it posts to `/api` below it',
  ),
  brokerMaxParallel: number('APIE_BROKER_MAX_PARALLEL', 16, 'calls of the API at once', 1, 1000),
  brokerMaxResponseBytes: number(
    'APIE_BROKER_MAX_RESPONSE_BYTES',
    MiB,
    'largest answer of the API that is stored, in bytes',
  ),
  brokerCallLimitMs: number(
    'APIE_BROKER_CALL_LIMIT_MS',
    300_000,
    'longest call where there is no timeout, and longest wait for a late response, in ms',
    1,
    LONGEST_TIMER_MS,
  ),
  brokerGraceMs: number(
    'APIE_BROKER_GRACE_MS',
    10_000,
    'time after which others end an attempt whose processor may still live, in ms',
    0,
    LONGEST_TIMER_MS,
  ),
  brokerBackoffMs: number(
    'APIE_BROKER_BACKOFF_MS',
    0,
    'wait before the second attempt, in ms; doubles with each further one',
    0,
    LONGEST_TIMER_MS,
  ),
  brokerJitterPercent: number(
    'APIE_BROKER_JITTER_PERCENT',
    0,
    'percentage of that wait by which it varies',
    0,
    100,
  ),
  eventstoreDriver: choice(
    'EVENTSTORE_DRIVER',
    'store',
    ['store', 'file', 'mongodb', 'postgresql'],
    'engine of `apie broker`; `store`: that of all other commands',
  ),
  eventstoreDbHost: text(
    'EVENTSTORE_DB_HOST',
    '',
    'host of the database that `EVENTSTORE_DRIVER` names; default: `localhost`',
  ),
  eventstoreLoglevel: choice(
    'EVENTSTORE_LOGLEVEL',
    'info',
    ['debug', 'info', 'warn', 'error', 'crit'],
    'least level of what `apie broker` tells on standard error',
  ),
  logFile: text('APIE_LOG_FILE', '', 'file for log lines; default: standard error'),
} as const

export type SettingName = keyof typeof SETTINGS
// In brackets, so that a row is looked at whole and not case by case of its kind.
type SettingValue<R> = [R] extends [{ readonly choices: readonly (infer C)[] }]
  ? C
  : [R] extends [Row<infer T>]
    ? T
    : never
export type Settings = { readonly [N in SettingName]: SettingValue<(typeof SETTINGS)[N]> }
