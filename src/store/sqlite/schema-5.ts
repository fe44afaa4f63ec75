// The servers that share one store, and which programs may work on a schema (`schema-rule.ts`).

export const schema5 = `
CREATE TABLE node (
  id TEXT NOT NULL PRIMARY KEY,
  host TEXT NOT NULL,
  version TEXT NOT NULL,                           -- of the program
  schema INTEGER NOT NULL,                         -- that it knows
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  sessions INTEGER NOT NULL,                       -- connections of clients
  commits INTEGER NOT NULL                         -- changes since it started
);

ALTER TABLE schema_version ADD COLUMN oldest INTEGER;
`
