// What must hold between the rows of a store, as queries that find what does not.

export type RuleRow = Readonly<Record<string, string | number>>

export interface ConsistencyRule {
  readonly kind: string
  readonly severity: 'damage' | 'leftover'
  /** Each row is a finding. A LIMIT follows. */
  readonly sql: string
  readonly describe: (row: RuleRow) => string
}

/** An account that is being removed is in pieces. */
const isWhole = (table: string) => `${table}.account NOT IN (SELECT id FROM account WHERE state = 'removing')`

const hexOf = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString('hex')

const mailboxOf = (row: RuleRow) => `account ${row['account']}, mailbox ${row['mailbox']}`

export const consistencyRules: readonly ConsistencyRule[] = [
  {
    kind: 'message-without-mailbox',
    severity: 'damage',
    sql: `SELECT m.account, m.mailbox, count(*) AS total FROM message m
          WHERE ${isWhole('m')} AND NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.account = m.account AND b.id = m.mailbox)
          GROUP BY m.account, m.mailbox`,
    describe: row => `${mailboxOf(row)}: ${row['total']} messages of a mailbox that does not exist`,
  },
  {
    kind: 'message-without-email',
    severity: 'damage',
    sql: `SELECT m.account, m.mailbox, m.uid, m.email FROM message m LEFT JOIN email e ON e.account = m.account AND e.id = m.email
          WHERE ${isWhole('m')} AND (e.id IS NULL OR e.size_bytes <> m.size_bytes OR e.received_at <> m.received_at)`,
    describe: row => `${mailboxOf(row)}, UID ${row['uid']}: email ${row['email']} is missing or another`,
  },
  {
    kind: 'email-without-body',
    severity: 'damage',
    sql: `SELECT e.account, e.id FROM email e LEFT JOIN blob b ON b.account = e.account AND b.hash = e.blob
          WHERE ${isWhole('e')} AND (b.hash IS NULL OR b.size_bytes <> e.size_bytes)`,
    describe: row =>
      `account ${row['account']}, email ${row['id']}: the body is not known, or of another size`,
  },
  {
    kind: 'email-without-message',
    severity: 'leftover',
    sql: `SELECT e.account, e.id FROM email e
          WHERE ${isWhole('e')} AND NOT EXISTS (SELECT 1 FROM message m WHERE m.account = e.account AND m.email = e.id)
            AND (e.account, e.id) NOT IN (SELECT account, email FROM orphan)`,
    describe: row =>
      `account ${row['account']}, email ${row['id']}: no mailbox shows it, and it is not due to be removed`,
  },
  {
    kind: 'body-references',
    severity: 'damage',
    sql: `SELECT b.account, b.hash, b.refs, coalesce(r.total, 0) AS total FROM blob b
          LEFT JOIN (
            SELECT account, blob, count(*) AS total FROM (
              SELECT account, blob FROM email
              UNION ALL SELECT 0, blob FROM queue_message WHERE finished_at IS NULL
            ) AS referring GROUP BY account, blob
          ) r ON r.account = b.account AND r.blob = b.hash
          WHERE ${isWhole('b')} AND b.refs <> coalesce(r.total, 0)`,
    describe: row =>
      `account ${row['account']}, body ${hexOf(row['hash'])}: ${row['refs']} references are counted, ${row['total']} exist`,
  },
  {
    kind: 'mailbox-counts',
    severity: 'damage',
    sql: `SELECT b.account, b.id AS mailbox, b.total, coalesce(m.total, 0) AS found FROM mailbox b
          LEFT JOIN (
            SELECT account, mailbox, count(*) AS total, sum(CASE WHEN (flags & 1) = 0 THEN 1 ELSE 0 END) AS unseen,
              sum(CASE WHEN (flags & 8) <> 0 THEN 1 ELSE 0 END) AS deleted,
              sum(size_bytes) AS size_bytes, max(uid) AS max_uid, max(mod_seq) AS mod_seq
            FROM message GROUP BY account, mailbox
          ) m ON m.account = b.account AND m.mailbox = b.id
          WHERE ${isWhole('b')} AND (b.total <> coalesce(m.total, 0) OR b.unseen <> coalesce(m.unseen, 0)
            OR b.deleted <> coalesce(m.deleted, 0) OR b.size_bytes <> coalesce(m.size_bytes, 0)
            OR b.uid_next <= coalesce(m.max_uid, 0) OR b.mod_seq < coalesce(m.mod_seq, 0))`,
    describe: row =>
      `${mailboxOf(row)}: its counts (${row['total']} messages) are not those of its messages (${row['found']})`,
  },
  {
    kind: 'tombstones',
    severity: 'damage',
    sql: `SELECT b.account, b.id AS mailbox, b.tombstones, coalesce(t.total, 0) AS found FROM mailbox b
          LEFT JOIN (
            SELECT account, mailbox, count(*) AS total, max(uid) AS max_uid, max(mod_seq) AS mod_seq FROM tombstone GROUP BY account, mailbox
          ) t ON t.account = b.account AND t.mailbox = b.id
          WHERE ${isWhole('b')} AND (b.tombstones <> coalesce(t.total, 0) OR b.uid_next <= coalesce(t.max_uid, 0)
            OR b.mod_seq < coalesce(t.mod_seq, 0))`,
    describe: row => `${mailboxOf(row)}: ${row['tombstones']} expunges are counted, ${row['found']} known`,
  },
  {
    kind: 'changes',
    severity: 'damage',
    sql: `SELECT b.account, b.id AS mailbox, b.changes, coalesce(c.total, 0) AS found FROM mailbox b
          LEFT JOIN (
            SELECT account, mailbox, count(*) AS total, min(mod_seq) AS first, max(mod_seq) AS last FROM message_change GROUP BY account, mailbox
          ) c ON c.account = b.account AND c.mailbox = b.id
          WHERE ${isWhole('b')} AND (b.changes <> coalesce(c.total, 0) OR b.mod_seq < coalesce(c.last, 0) OR b.change_floor >= coalesce(c.first, b.change_floor + 1))`,
    describe: row =>
      `${mailboxOf(row)}: ${row['changes']} ranges of changes are counted, ${row['found']} known`,
  },
  {
    kind: 'annotation-without-message',
    severity: 'leftover',
    sql: `SELECT a.account, a.mailbox, a.uid, count(*) AS total FROM message_annotation a
          WHERE ${isWhole('a')} AND NOT EXISTS (SELECT 1 FROM message m WHERE m.account = a.account AND m.mailbox = a.mailbox AND m.uid = a.uid)
          GROUP BY a.account, a.mailbox, a.uid`,
    describe: row =>
      `${mailboxOf(row)}, UID ${row['uid']}: ${row['total']} annotations of a message that is not there`,
  },
  {
    kind: 'guests',
    severity: 'damage',
    sql: `SELECT g.account, g.mailbox, g.guest, g.seen, coalesce(s.seen, 0) AS found FROM guest g
          JOIN account o ON o.id = g.account
          LEFT JOIN (
            SELECT account, mailbox, guest, sum(is_seen) AS seen, max(mod_seq) AS mod_seq FROM guest_seen GROUP BY account, mailbox, guest
          ) s ON s.account = g.account AND s.mailbox = g.mailbox AND s.guest = g.guest
          WHERE ${isWhole('g')} AND g.guest NOT IN (SELECT id FROM account WHERE state = 'removing')
            AND (g.seen <> coalesce(s.seen, 0) OR g.mod_seq < coalesce(s.mod_seq, 0) OR o.mod_seq < g.mod_seq)`,
    describe: row =>
      `${mailboxOf(row)}: ${row['seen']} messages are counted as seen by account ${row['guest']}, ${row['found']} are`,
  },
  {
    kind: 'guest-counts',
    severity: 'damage',
    sql: `SELECT b.account, b.id AS mailbox, b.guests, coalesce(g.total, 0) AS found FROM mailbox b
          LEFT JOIN (SELECT account, mailbox, count(*) AS total FROM guest GROUP BY account, mailbox) g
            ON g.account = b.account AND g.mailbox = b.id
          WHERE ${isWhole('b')} AND b.guests <> coalesce(g.total, 0)`,
    describe: row => `${mailboxOf(row)}: ${row['guests']} guests are counted, ${row['found']} known`,
  },
  {
    kind: 'seen-but-gone',
    severity: 'damage',
    sql: `SELECT s.account, s.mailbox, s.uid FROM guest_seen s
          WHERE ${isWhole('s')} AND NOT EXISTS (SELECT 1 FROM message m WHERE m.account = s.account AND m.mailbox = s.mailbox AND m.uid = s.uid)`,
    describe: row => `${mailboxOf(row)}, UID ${row['uid']}: seen by a guest, and not there`,
  },
  {
    kind: 'rights-of-nothing',
    severity: 'leftover',
    sql: `SELECT g.account, g.mailbox, g.grantee FROM acl g
          WHERE ${isWhole('g')} AND (NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.account = g.account AND b.id = g.mailbox)
            OR g.grantee = g.account OR NOT EXISTS (SELECT 1 FROM account a WHERE a.id = g.grantee))`,
    describe: row => `${mailboxOf(row)}: rights of account ${row['grantee']} lead to nothing`,
  },
  {
    kind: 'expunged-but-there',
    severity: 'damage',
    sql: `SELECT t.account, t.mailbox, t.uid FROM tombstone t
          JOIN message m ON m.account = t.account AND m.mailbox = t.mailbox AND m.uid = t.uid WHERE ${isWhole('t')}`,
    describe: row => `${mailboxOf(row)}, UID ${row['uid']}: expunged, and still there`,
  },
  {
    kind: 'account-usage',
    severity: 'damage',
    sql: `SELECT a.id AS account, a.used_messages, a.used_bytes, coalesce(b.total, 0) AS total, coalesce(b.size_bytes, 0) AS size_bytes
          FROM account a LEFT JOIN (
            SELECT account, sum(total) AS total, sum(size_bytes) AS size_bytes, max(mod_seq) AS mod_seq, max(id) AS max_id,
              max(uid_validity) AS uid_validity FROM mailbox GROUP BY account
          ) b ON b.account = a.id
          WHERE a.state <> 'removing' AND (a.used_messages <> coalesce(b.total, 0) OR a.used_bytes <> coalesce(b.size_bytes, 0)
            OR a.mod_seq < coalesce(b.mod_seq, 0) OR a.next_mailbox <= coalesce(b.max_id, 0)
            OR a.next_uid_validity <= coalesce(b.uid_validity, 0))`,
    describe: row =>
      `account ${row['account']}: it counts ${row['used_messages']} messages of ${row['used_bytes']} bytes, its mailboxes ${row['total']} of ${row['size_bytes']}`,
  },
  {
    kind: 'email-numbers',
    severity: 'damage',
    sql: `SELECT a.id AS account FROM account a JOIN (
            SELECT account, max(id) AS max_id, max(thread) AS max_thread FROM email GROUP BY account
          ) e ON e.account = a.id WHERE a.state <> 'removing' AND (a.next_email <= e.max_id OR a.next_thread <= e.max_thread)`,
    describe: row => `account ${row['account']}: numbers of emails or conversations would be given twice`,
  },
  {
    kind: 'uid-validity-twice',
    severity: 'damage',
    sql: `SELECT account, uid_validity, count(*) AS total FROM mailbox WHERE ${isWhole('mailbox')}
          GROUP BY account, uid_validity HAVING count(*) > 1`,
    describe: row =>
      `account ${row['account']}: ${row['total']} mailboxes have the UIDVALIDITY ${row['uid_validity']}`,
  },
  {
    kind: 'unknown-keywords',
    severity: 'damage',
    sql: `SELECT m.account, m.mailbox, m.uid FROM message m
          WHERE m.flags > 255 AND ${isWhole('m')}
            AND NOT EXISTS (SELECT 1 FROM keyword_set k WHERE k.account = m.account AND k.id = m.flags >> 8)`,
    describe: row => `${mailboxOf(row)}, UID ${row['uid']}: its keywords are not known`,
  },
  {
    kind: 'without-account',
    severity: 'leftover',
    sql: `SELECT account, 'mailboxes' AS what FROM mailbox WHERE account NOT IN (SELECT id FROM account) GROUP BY account
          UNION ALL SELECT account, 'emails' FROM email WHERE account NOT IN (SELECT id FROM account) GROUP BY account
          UNION ALL SELECT account, 'bodies' FROM blob WHERE account > 0 AND account NOT IN (SELECT id FROM account) GROUP BY account`,
    describe: row => `account ${row['account']} does not exist and has ${row['what']}`,
  },
]
