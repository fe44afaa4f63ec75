// What IMAP's URLAUTH, METADATA and QUOTA keep. RFC 4467; RFC 5464; RFC 9208. Portable SQL; every key begins with the account.

export const schema2 = `
-- What authorised URLs of a mailbox's messages are signed with; a mailbox without such URLs has none.
CREATE TABLE url_key (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  key BLOB NOT NULL,
  PRIMARY KEY (account, mailbox)
) WITHOUT ROWID;

-- Annotations of mailboxes; those of mailbox 0 are the account's own, and of account 0 the server's.
CREATE TABLE annotation (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  folded TEXT NOT NULL,                            -- the entry's name, lower case
  entry TEXT NOT NULL,                             -- as it was spelt first
  value BLOB,                                      -- NULL: removed, kept for those who ask what changed
  mod_seq INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, folded)
) WITHOUT ROWID;
CREATE INDEX annotation_mod_seq ON annotation (account, mod_seq);

-- NULL: the server's limits.
ALTER TABLE account ADD COLUMN quota_mailboxes INTEGER;
ALTER TABLE account ADD COLUMN quota_annotation_bytes INTEGER;
`
