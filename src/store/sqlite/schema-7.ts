// What a change did to flags, so that a snapshot follows without reading the messages. Portable SQL.

export const schema7 = `
-- Bits that every message between first_uid and last_uid lost, then bits that it got; those whose flags it left as they were kept their modSeq. NULL:
-- it is another kind of change.
ALTER TABLE message_change ADD COLUMN clears INTEGER;
ALTER TABLE message_change ADD COLUMN adds INTEGER;
`
