// What IMAP's ANNOTATE keeps. RFC 5257. Portable SQL; every key begins with the account.

export const schema4 = `
-- Annotations of messages. A private one belongs to the account that made it, a shared one to owner 0.
CREATE TABLE message_annotation (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  owner INTEGER NOT NULL,
  entry TEXT NOT NULL,
  value BLOB,                                      -- NULL: removed, kept for those who ask what changed
  mod_seq INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, uid, owner, entry)
) WITHOUT ROWID;
CREATE INDEX message_annotation_mod_seq ON message_annotation (account, mailbox, mod_seq);
`
