// The first schema. Portable SQL but for the words in `dialect.ts`; every key begins with the account.

export const schema1 = `
CREATE TABLE domain (
  name TEXT NOT NULL PRIMARY KEY,
  created_at INTEGER NOT NULL
);

-- Numbers that are never given twice: 'account' is the last account's id.
CREATE TABLE counter (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
);

-- Random values of this installation, base64.
CREATE TABLE secret (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);

-- Account 0 is the server itself: it owns the bodies that wait in the queue.
CREATE TABLE account (
  id INTEGER NOT NULL PRIMARY KEY,
  address TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'active',           -- active, disabled, removing
  is_admin INTEGER NOT NULL DEFAULT 0,
  mod_seq INTEGER NOT NULL DEFAULT 1,
  next_mailbox INTEGER NOT NULL DEFAULT 1,
  next_email INTEGER NOT NULL DEFAULT 1,
  next_thread INTEGER NOT NULL DEFAULT 1,
  next_keyword_set INTEGER NOT NULL DEFAULT 1,
  next_uid_validity INTEGER NOT NULL,
  next_credential INTEGER NOT NULL DEFAULT 1,
  quota_bytes INTEGER,                             -- NULL: the server's default
  quota_messages INTEGER,
  used_bytes INTEGER NOT NULL DEFAULT 0,
  used_messages INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);

-- Where mail for an address that is not an account's own goes; '@domain' is the catch-all.
CREATE TABLE alias (
  address TEXT NOT NULL,
  target TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (address, target)
);
CREATE INDEX alias_target ON alias (target);

CREATE TABLE credential (
  account INTEGER NOT NULL,
  id INTEGER NOT NULL,
  kind TEXT NOT NULL,                              -- password, app-password, scram-sha-1, scram-sha-256, shared-secret
  name TEXT NOT NULL DEFAULT '',
  secret TEXT NOT NULL,
  scopes TEXT NOT NULL DEFAULT '[]',
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (account, id)
);

CREATE TABLE mailbox (
  account INTEGER NOT NULL,
  id INTEGER NOT NULL,
  name TEXT NOT NULL,                              -- whole name, '/' between levels, INBOX in capitals
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL DEFAULT 1,
  mod_seq INTEGER NOT NULL,                        -- of the last change to its messages or to itself: HIGHESTMODSEQ
  created_mod_seq INTEGER NOT NULL,
  total INTEGER NOT NULL DEFAULT 0,
  unseen INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  size_bytes INTEGER NOT NULL DEFAULT 0,
  recent_uid INTEGER NOT NULL DEFAULT 1,           -- the first UID that no session has seen as \\Recent
  special_use TEXT,                                -- \\Sent and so on
  tombstones INTEGER NOT NULL DEFAULT 0,           -- rows of it in tombstone
  tombstone_floor INTEGER NOT NULL DEFAULT 0,      -- expunges at or below this modSeq are forgotten
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account, id),
  UNIQUE (account, name)
);

-- A name may be subscribed that no mailbox has (RFC 9051 §6.3.7).
CREATE TABLE subscription (
  account INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (account, name)
);

-- Keywords are one whatever their case, and keep the spelling that came first.
CREATE TABLE keyword (
  account INTEGER NOT NULL,
  folded TEXT NOT NULL,                            -- lower case
  spelling TEXT NOT NULL,
  PRIMARY KEY (account, folded)
) WITHOUT ROWID;

CREATE TABLE keyword_set (
  account INTEGER NOT NULL,
  id INTEGER NOT NULL,
  folded TEXT NOT NULL,                            -- lower case, sorted, separated by one space
  keywords TEXT NOT NULL,                          -- as spelt, sorted, separated by one space
  PRIMARY KEY (account, id),
  UNIQUE (account, folded)
);

-- Content: what does not change. Wide, read for FETCH, never rewritten.
CREATE TABLE email (
  account INTEGER NOT NULL,
  id INTEGER NOT NULL,
  blob BLOB NOT NULL,                              -- SHA-256, 32 bytes
  thread INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  header_bytes INTEGER NOT NULL,
  received_at INTEGER NOT NULL,                    -- INTERNALDATE
  sent_at INTEGER,                                 -- the Date field
  sent_zone_minutes INTEGER NOT NULL,              -- its zone, east of Greenwich
  message_id TEXT NOT NULL,
  base_subject TEXT NOT NULL,
  is_reply INTEGER NOT NULL,
  subject TEXT NOT NULL,
  sort_from TEXT NOT NULL,
  sort_to TEXT NOT NULL,
  sort_cc TEXT NOT NULL,
  display_from TEXT NOT NULL,
  display_to TEXT NOT NULL,
  reference_ids TEXT NOT NULL,                     -- separated by one space
  preview TEXT NOT NULL,
  has_attachment INTEGER NOT NULL,
  envelope BLOB NOT NULL,
  body_structure BLOB NOT NULL,
  parts BLOB NOT NULL,
  PRIMARY KEY (account, id)
) WITHOUT ROWID;
CREATE INDEX email_thread ON email (account, thread);

-- One email in one mailbox: what changes. Narrow.
CREATE TABLE message (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  email INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,                     -- of the email, here so that a snapshot needs no join
  received_at INTEGER NOT NULL,                    -- of the email
  saved_at INTEGER NOT NULL,                       -- SAVEDATE
  PRIMARY KEY (account, mailbox, uid)
) WITHOUT ROWID;
CREATE INDEX message_mod_seq ON message (account, mailbox, mod_seq);
CREATE INDEX message_email ON message (account, email);

CREATE TABLE tombstone (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, mod_seq, uid)
) WITHOUT ROWID;

-- Emails that may have lost their last message: they are removed some time later, in small steps (mutations/purge-orphans.ts).
CREATE TABLE orphan (
  since INTEGER NOT NULL,
  account INTEGER NOT NULL,
  email INTEGER NOT NULL,
  PRIMARY KEY (since, account, email)
) WITHOUT ROWID;

-- Mailboxes that are gone, for those who ask what changed.
CREATE TABLE mailbox_tombstone (
  account INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (account, mod_seq, mailbox)
) WITHOUT ROWID;

-- Message-Ids met so far under one base subject, each with its conversation.
CREATE TABLE thread_key (
  account INTEGER NOT NULL,
  key BLOB NOT NULL,                               -- 16 bytes of a hash, see mutations/assign-thread.ts
  thread INTEGER NOT NULL,
  PRIMARY KEY (account, key)
) WITHOUT ROWID;

CREATE TABLE blob (
  account INTEGER NOT NULL,
  hash BLOB NOT NULL,
  segment INTEGER NOT NULL,
  position INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL,
  compressed INTEGER NOT NULL DEFAULT 0,
  refs INTEGER NOT NULL,
  PRIMARY KEY (account, hash)
) WITHOUT ROWID;
CREATE INDEX blob_segment ON blob (segment, position);

-- Packed snapshots, a cache: may be dropped at any time.
CREATE TABLE snapshot (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (account, mailbox, chunk)
) WITHOUT ROWID;

INSERT INTO account (id, address, display_name, next_uid_validity, created_at) VALUES (0, '', 'the server', 1, 0);

-- What waits to be sent elsewhere, and for a while what was. Its body is a blob of account 0.
CREATE TABLE queue_message (
  id INTEGER NOT NULL PRIMARY KEY,
  blob BLOB NOT NULL,
  body_bytes INTEGER NOT NULL,
  mail_from TEXT NOT NULL,                         -- '' for the null reverse-path
  skip_bytes INTEGER NOT NULL,                     -- of the body's front, not sent: its Return-Path
  prefix TEXT NOT NULL,                            -- header fields sent before the body
  body_type TEXT NOT NULL,                         -- 7BIT, 8BITMIME, BINARYMIME
  smtp_utf8 INTEGER NOT NULL,
  ret TEXT,                                        -- FULL, HDRS
  envelope_id TEXT,
  submitter INTEGER,                               -- the account that sent it
  message_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  finished_at INTEGER                              -- NULL while a recipient waits; then the body is let go
);
CREATE INDEX queue_message_finished ON queue_message (finished_at);

CREATE TABLE queue_recipient (
  message INTEGER NOT NULL,
  id INTEGER NOT NULL,
  address TEXT NOT NULL,
  domain TEXT NOT NULL,                            -- lower case, A-labels
  notify TEXT,                                     -- RFC 3461; '' is NEVER
  original_recipient TEXT,
  state TEXT NOT NULL DEFAULT 'waiting',           -- waiting, held, delivered, failed, dropped
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  delay_reported INTEGER NOT NULL DEFAULT 0,
  lease TEXT NOT NULL DEFAULT '',                  -- who works on it, until lease_until
  lease_until INTEGER NOT NULL DEFAULT 0,
  last_host TEXT NOT NULL DEFAULT '',
  last_code INTEGER NOT NULL DEFAULT 0,
  last_status TEXT NOT NULL DEFAULT '',
  last_text TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (message, id)
) WITHOUT ROWID;
CREATE INDEX queue_recipient_due ON queue_recipient (state, due_at);
CREATE INDEX queue_recipient_lease ON queue_recipient (lease_until);

-- Each attempt to send, for who asks why.
CREATE TABLE queue_attempt (
  message INTEGER NOT NULL,
  recipient INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,                              -- delivered, failed, later
  host TEXT NOT NULL,
  code INTEGER NOT NULL,
  status TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (message, recipient, number)
) WITHOUT ROWID;
`
