// Every table of the schema with its key, for what goes over all rows: the removal of an account, the move to another back-end.

export interface TableKey {
  readonly table: string
  readonly key: readonly string[]
}

/** The rows of accounts; each key has the account in it. In the order in which a removal deletes them: the mailboxes last. */
export const accountTables: readonly TableKey[] = [
  { table: 'message_annotation', key: ['account', 'mailbox', 'uid', 'owner', 'entry'] },
  { table: 'message', key: ['account', 'mailbox', 'uid'] },
  { table: 'email', key: ['account', 'id'] },
  { table: 'blob', key: ['account', 'hash'] },
  { table: 'tombstone', key: ['account', 'mailbox', 'mod_seq', 'uid'] },
  { table: 'message_change', key: ['account', 'mailbox', 'mod_seq', 'first_uid'] },
  { table: 'mailbox_tombstone', key: ['account', 'mod_seq', 'mailbox'] },
  { table: 'thread_key', key: ['account', 'key'] },
  { table: 'orphan', key: ['since', 'account', 'email'] },
  { table: 'snapshot', key: ['account', 'mailbox', 'chunk'] },
  { table: 'subscription', key: ['account', 'name'] },
  { table: 'keyword_set', key: ['account', 'id'] },
  { table: 'keyword', key: ['account', 'folded'] },
  { table: 'credential', key: ['account', 'id'] },
  { table: 'annotation', key: ['account', 'mailbox', 'folded'] },
  { table: 'url_key', key: ['account', 'mailbox'] },
  { table: 'acl', key: ['account', 'mailbox', 'grantee', 'is_negative'] },
  { table: 'guest_seen', key: ['account', 'mailbox', 'uid', 'guest'] },
  { table: 'guest', key: ['account', 'mailbox', 'guest'] },
  { table: 'mailbox', key: ['account', 'id'] },
]

/** The others that hold what is not to be lost. */
export const serverTables: readonly TableKey[] = [
  { table: 'account', key: ['id'] },
  { table: 'domain', key: ['name'] },
  { table: 'alias', key: ['address', 'target'] },
  { table: 'counter', key: ['name'] },
  { table: 'secret', key: ['name'] },
  { table: 'queue_message', key: ['id'] },
  { table: 'queue_recipient', key: ['message', 'id'] },
  { table: 'queue_attempt', key: ['message', 'recipient', 'number'] },
]
