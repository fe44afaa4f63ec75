// Mailboxes that accounts share with one another. RFC 4314; RFC 2342. Portable SQL; every key begins with the account that owns the mailbox.

export const schema3 = `
-- Who may do what in a mailbox. Its owner has no row: he may do all of it.
CREATE TABLE acl (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  grantee INTEGER NOT NULL,                        -- an account, by id, so that a later one of the same address is another; 0: anyone
  is_negative INTEGER NOT NULL,                    -- rights that are taken away, whatever gives them
  rights INTEGER NOT NULL,                         -- bits, store/rights.ts
  PRIMARY KEY (account, mailbox, grantee, is_negative)
) WITHOUT ROWID;
CREATE INDEX acl_grantee ON acl (grantee, account, mailbox);

-- What a guest, one who is not the owner, has in a mailbox for himself.
CREATE TABLE guest (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  guest INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,                        -- of the last change in guest_seen, one of the owner's modSeqs
  seen INTEGER NOT NULL DEFAULT 0,                 -- messages that he has seen
  url_key BLOB,                                    -- what his authorised URLs are signed with
  PRIMARY KEY (account, mailbox, guest)
) WITHOUT ROWID;
CREATE INDEX guest_guest ON guest (guest, account, mailbox);

-- A guest's \\Seen. A message without a row he has never seen.
CREATE TABLE guest_seen (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  guest INTEGER NOT NULL,
  is_seen INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, uid, guest)
) WITHOUT ROWID;
CREATE INDEX guest_seen_mod_seq ON guest_seen (account, mailbox, guest, mod_seq);

ALTER TABLE account ADD COLUMN kind TEXT NOT NULL DEFAULT 'person'; -- person, shared (nobody logs in as it)
ALTER TABLE mailbox ADD COLUMN guests INTEGER NOT NULL DEFAULT 0;   -- rows of it in guest
`
