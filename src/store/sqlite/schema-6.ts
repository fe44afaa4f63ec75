// What was changed in a mailbox by whom asks what is new: ranges of UIDs in place of an index over every message's modSeq. Portable SQL; every key
// begins with the account.

export const schema6 = `
-- Messages that a transaction changed, new ones excepted: those between first_uid and last_uid that still have its modSeq.
CREATE TABLE message_change (
  account INTEGER NOT NULL,
  mailbox INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  first_uid INTEGER NOT NULL,
  last_uid INTEGER NOT NULL,
  PRIMARY KEY (account, mailbox, mod_seq, first_uid)
) WITHOUT ROWID;

-- Rows of it in message_change, and the modSeq at or below which they are forgotten.
ALTER TABLE mailbox ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN change_floor INTEGER NOT NULL DEFAULT 0;
UPDATE mailbox SET change_floor = mod_seq;
DROP INDEX message_mod_seq;
`
