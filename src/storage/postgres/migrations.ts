/**
 * The steps from an empty database to the newest schema, one after the other; a step that was released is
 * never changed. All names begin with `apie_` and stand in the first schema of the search path.
 *
 * An event is one row. Its numbers in its sequences stand in it, each beside a key of the sequence (half a
 * SHA-256, see `sequences.ts`), so that an append writes one row and a page of a sequence is one index scan.
 */

const FIRST = [
  `CREATE TABLE apie_head (
     id smallint PRIMARY KEY CHECK (id = 1),
     count bigint NOT NULL,
     hash bytea NOT NULL,
     created_at_ms bigint NOT NULL
   ) WITH (fillfactor = 10)`,
  `INSERT INTO apie_head VALUES (1, 0, sha256(''), 0)`,
  `CREATE TABLE apie_event (
     position bigint PRIMARY KEY,
     version bigint NOT NULL,
     stream_type_number bigint NOT NULL,
     type_number bigint NOT NULL,
     category_number bigint,
     streams_number bigint,
     hash bytea NOT NULL,
     event_key bytea NOT NULL,
     stream_key bytea NOT NULL,
     stream_type_key bytea NOT NULL,
     type_key bytea NOT NULL,
     category_key bytea,
     producer text,
     json bytea NOT NULL
   )`,
  'CREATE INDEX apie_event_hash ON apie_event (hash)',
  'CREATE INDEX apie_event_id ON apie_event (event_key, stream_key, position)',
  'CREATE UNIQUE INDEX apie_event_stream ON apie_event (stream_key, version)',
  'CREATE UNIQUE INDEX apie_event_stream_type ON apie_event (stream_type_key, stream_type_number)',
  'CREATE UNIQUE INDEX apie_event_type ON apie_event (type_key, type_number)',
  `CREATE UNIQUE INDEX apie_event_category ON apie_event (category_key, category_number)
     WHERE category_key IS NOT NULL`,
  `CREATE UNIQUE INDEX apie_event_streams ON apie_event (streams_number)
     WHERE streams_number IS NOT NULL`,
  `CREATE INDEX apie_event_owner ON apie_event (stream_key, version, producer)
     WHERE producer IS NOT NULL`,
  `CREATE TABLE apie_record (
     collection text COLLATE "C" NOT NULL,
     key_hash bytea NOT NULL,
     key bytea NOT NULL,
     group_hash bytea,
     place bigint GENERATED ALWAYS AS IDENTITY,
     revision bigint NOT NULL,
     value text NOT NULL,
     PRIMARY KEY (collection, key_hash)
   )`,
  'CREATE UNIQUE INDEX apie_record_place ON apie_record (collection, place)',
  'CREATE INDEX apie_record_group ON apie_record (collection, group_hash, place)',
  `CREATE TABLE apie_upload (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     touched_at timestamptz NOT NULL DEFAULT now(),
     is_finished boolean NOT NULL DEFAULT false
   )`,
  `CREATE INDEX apie_upload_open ON apie_upload (touched_at) WHERE NOT is_finished`,
  `CREATE TABLE apie_chunk (
     upload bigint NOT NULL,
     number bigint NOT NULL,
     bytes bytea NOT NULL,
     PRIMARY KEY (upload, number)
   )`,
  'ALTER TABLE apie_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL',
  `CREATE TABLE apie_content (
     hash bytea PRIMARY KEY,
     upload bigint NOT NULL UNIQUE,
     size bigint NOT NULL,
     created_at_ms bigint NOT NULL,
     names text NOT NULL
   )`,
  `CREATE TABLE apie_attempt (
     kind text COLLATE "C" NOT NULL,
     slot integer NOT NULL,
     hash text NOT NULL,
     failures bigint NOT NULL,
     last_failure_ms bigint NOT NULL,
     last_success_ms bigint NOT NULL,
     PRIMARY KEY (kind, slot)
   )`,
  'CREATE TABLE apie_setup (id smallint PRIMARY KEY CHECK (id = 1), token text NOT NULL)',
] as const

/** The check of what is left of an event whose body was removed. */
const SECOND = ['ALTER TABLE apie_event ADD COLUMN scavenged text'] as const

/** The statements that lead to version 1, 2, …, in their order. */
export const MIGRATIONS: readonly (readonly string[])[] = [FIRST, SECOND]
