// What only PostgreSQL has: where bodies lie, marks of transactions, the search index. Every key begins with the account.

import { queueIdGap } from '../mutations/enqueue-messages.ts'
import type { Schema } from '../schema-rule.ts'

/** The version before gives the modSeqs of account 0, also while it runs beside this one. */
export const raiseQueueIdsSql = `SELECT setval('queue_id', ${queueIdGap} + greatest((SELECT last_value FROM queue_id),
  (SELECT mod_seq FROM account WHERE id = 0), (SELECT coalesce(max(id), 0) FROM queue_message)))`

const steps: readonly string[] = [
  `
-- A body of moderate size lies in its row; a larger one in rows of body_chunk; segment says which (bodies.ts).
ALTER TABLE blob ADD COLUMN data BYTEA;
-- Only segment files are looked through by place.
DROP INDEX blob_segment;

CREATE TABLE body_chunk (
  account BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  chunk BIGINT NOT NULL,
  data BYTEA NOT NULL,
  PRIMARY KEY (account, hash, chunk),
  FOREIGN KEY (account, hash) REFERENCES blob (account, hash) ON DELETE CASCADE
);

-- Small and fast where the server was built with it, else not compressed: a range is read without the rest.
DO $$
BEGIN
  ALTER TABLE blob ALTER COLUMN data SET COMPRESSION lz4;
  ALTER TABLE body_chunk ALTER COLUMN data SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  ALTER TABLE blob ALTER COLUMN data SET STORAGE EXTERNAL;
  ALTER TABLE body_chunk ALTER COLUMN data SET STORAGE EXTERNAL;
END $$;

-- One row for each transaction, so that whoever lost the connection while it was committed can ask what became of it.
CREATE TABLE commit_mark (
  account BIGINT NOT NULL,
  mark BYTEA NOT NULL,
  made_at BIGINT NOT NULL,
  PRIMARY KEY (account, mark)
);
-- Rows come in the order of time, and all but the last hour goes.
CREATE INDEX commit_mark_made_at ON commit_mark USING brin (made_at);
`,
  `
-- Bodies in S3 are looked through by the first number of their object's name (sweeper.ts).
CREATE INDEX blob_object ON blob (segment) WHERE segment > 1;
`,
  `
ALTER TABLE postgres_schema_version ADD COLUMN oldest BIGINT;
`,
  `
-- The search index, a cache (chunk-tables.ts). Nothing of it is left of an account that is removed.
CREATE TABLE search_chunk (
  account BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  level BIGINT NOT NULL,
  number BIGINT NOT NULL,
  stamp BIGINT NOT NULL,
  version BIGINT NOT NULL,
  head BYTEA NOT NULL,
  checksum BIGINT NOT NULL,
  PRIMARY KEY (account, level, number)
);

CREATE TABLE search_piece (
  account BIGINT NOT NULL,
  level BIGINT NOT NULL,
  number BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  stamp BIGINT NOT NULL,
  data BYTEA NOT NULL,
  checksum BIGINT NOT NULL,
  PRIMARY KEY (account, level, number, name),
  FOREIGN KEY (account, level, number) REFERENCES search_chunk (account, level, number) ON DELETE CASCADE
);

-- Up to which modSeq emails that are gone have been taken out.
CREATE TABLE search_swept (
  account BIGINT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  mod_seq BIGINT NOT NULL
);

DO $$
BEGIN
  ALTER TABLE search_chunk ALTER COLUMN head SET COMPRESSION lz4;
  ALTER TABLE search_piece ALTER COLUMN data SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
  NULL;
END $$;
`,
  `
-- Which maildrops are open (maildrop-leases.ts). Not logged, so nothing waits for the disk or a standby; a crash or a failover empties it.
CREATE UNLOGGED TABLE maildrop_lease (
  account BIGINT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
  holder TEXT COLLATE "C" NOT NULL,
  lease_until BIGINT NOT NULL,
  taken_at BIGINT NOT NULL
);
`,
  `
-- A lock on the row of account 0 would let one transaction at a time put mail into the queue.
CREATE SEQUENCE queue_id AS BIGINT;
${raiseQueueIdsSql};
`,
  `
-- A body of some KB, which shrinks to less than a page, stays in its row: beside it, it is a row and an entry of an index for every 2 KB.
ALTER TABLE blob SET (toast_tuple_target = 8160);

-- No plan depends on what the text of mail is like, and to find out takes most of ANALYZE's time.
DO $$
DECLARE
  wide RECORD;
BEGIN
  FOR wide IN
    SELECT c.oid::regclass AS name, a.attname AS part FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND (
      c.relname = 'email' AND a.atttypid IN ('text'::regtype, 'bytea'::regtype) AND a.attname <> 'blob'
      OR c.relname IN ('blob', 'body_chunk', 'snapshot', 'search_piece') AND a.attname = 'data'
      OR c.relname = 'search_chunk' AND a.attname = 'head')
  LOOP
    EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', wide.name, wide.part);
  END LOOP;
END $$;
`,
]

/** Raise `oldest` to the version of a step that contracts (`schema-rule.ts`). */
export const ownSchema: Schema = { steps, oldest: 3 }
