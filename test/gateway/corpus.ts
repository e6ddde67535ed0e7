/**
 * The request corpus: what every gateway must answer, case by case. Each case starts from an empty store
 * whose one account is `a@b.c` with password `pw` and role admin.
 */
import { ACCESS_CASES } from './corpus-access.ts'
import { APPEND_CASES } from './corpus-append.ts'
import { ATOMPUB_BODY_CASES } from './corpus-atompub-bodies.ts'
import { ATOMPUB_CONSUMER_CASES } from './corpus-atompub-consumers.ts'
import { ATOMPUB_FORMAT_CASES } from './corpus-atompub-formats.ts'
import { ATOMPUB_GROUP_CASES } from './corpus-atompub-groups.ts'
import { ATOMPUB_NODE_CASES } from './corpus-atompub-node.ts'
import { ATOMPUB_PAGE_CASES } from './corpus-atompub-pages.ts'
import { ATOMPUB_READ_CASES } from './corpus-atompub-read.ts'
import { ATOMPUB_RETRY_CASES } from './corpus-atompub-retries.ts'
import { ATOMPUB_STREAM_CASES } from './corpus-atompub-streams.ts'
import { ATOMPUB_USER_CASES } from './corpus-atompub-users.ts'
import { ATOMPUB_WRITE_CASES } from './corpus-atompub-write.ts'
import { BYTE_CASES } from './corpus-bytes.ts'
import { EVENT_SERVER_CONSUME_CASES } from './corpus-event-server-consume.ts'
import { EVENT_SERVER_OTHER_CASES } from './corpus-event-server-others.ts'
import { EVENT_SERVER_PUBLISH_CASES } from './corpus-event-server-publish.ts'
import { EVENT_SERVER_REPORT_CASES } from './corpus-event-server-reports.ts'
import { RANGE_CASES } from './corpus-range.ts'
import type { CorpusCase } from './corpus-request.ts'
import { STORAGE_CASES } from './corpus-storage.ts'

export type { CorpusAnswer, CorpusCase, CorpusRequest, Send } from './corpus-request.ts'

/** What an app answers, however it is asked. */
export const APP_CORPUS: readonly CorpusCase[] = [
  ...ACCESS_CASES,
  ...APPEND_CASES,
  ...RANGE_CASES,
  ...STORAGE_CASES,
  ...ATOMPUB_WRITE_CASES,
  ...ATOMPUB_RETRY_CASES,
  ...ATOMPUB_READ_CASES,
  ...ATOMPUB_PAGE_CASES,
  ...ATOMPUB_BODY_CASES,
  ...ATOMPUB_FORMAT_CASES,
  ...ATOMPUB_STREAM_CASES,
  ...ATOMPUB_USER_CASES,
  ...ATOMPUB_NODE_CASES,
  ...ATOMPUB_GROUP_CASES,
  ...ATOMPUB_CONSUMER_CASES,
  ...EVENT_SERVER_PUBLISH_CASES,
  ...EVENT_SERVER_CONSUME_CASES,
  ...EVENT_SERVER_REPORT_CASES,
  ...EVENT_SERVER_OTHER_CASES,
]

/** The same, and what gateways make of bytes before an app is asked. */
export const CORPUS: readonly CorpusCase[] = [...APP_CORPUS, ...BYTE_CASES]
