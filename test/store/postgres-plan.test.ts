// Every statement of the store's mutations and hot reads finds its rows in PostgreSQL by an index that begins with what it asks for: the account.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from '../../src/store/open-store.ts'
import { numberPlaceholders } from '../../src/store/postgres/dialect.ts'
import { allSql, changesSql } from '../../src/store/postgres/snapshots.ts'
import { createDatabase } from '../postgres/database.ts'
import { mutationFiles, statementsOf } from './statements.ts'

/** Statements that go over more than one account, each with the reason why that is right. */
const wide: readonly (readonly [file: string, start: string, reason: string])[] = [
  ['mutations/create-alias.ts', 'WITH RECURSIVE', 'it goes over the addresses found so far'],
  ['mutations/delete-domain.ts', 'SELECT address', 'domains are deleted rarely'],
  ['mutations/move-bodies.ts', 'UPDATE blob', 'only the embedded store has segments'],
  ['mutations/lease-queue.ts', 'SELECT', 'the queue is one for all'],
  ['mutations/report-node.ts', 'DELETE FROM node WHERE seen_at', 'there is one row for each server'],
  ['postgres/chunk-tables.ts', 'SELECT account, COALESCE', 'once an hour, by one node'],
  ['postgres/maintenance.ts', 'SELECT', 'once in a while, by one node'],
  ['postgres/maintenance.ts', 'DELETE FROM commit_mark', 'once in a while, by one node'],
]

/** Plans depend on statistics: few accounts with 2 large mailboxes, so that a plan for any of them expects so much that a join which takes all of it looks cheap. */
const rows = `
  INSERT INTO account (id, address, next_uid_validity, created_at) SELECT a, 'u' || a, 1, 0 FROM generate_series(1, 4) a;
  INSERT INTO credential (account, id, kind, secret, created_at) SELECT a, c, 'password', 's' || c, 0 FROM generate_series(1, 4) a, generate_series(1, 5) c;
  INSERT INTO mailbox (account, id, name, uid_validity, mod_seq, created_mod_seq, created_at)
    SELECT a, b, 'm' || b, 1, 1, 1, 0 FROM generate_series(1, 4) a, generate_series(1, 20) b;
  INSERT INTO email (account, id, blob, thread, size_bytes, header_bytes, received_at, sent_zone_minutes, message_id, base_subject, is_reply, subject,
      sort_from, sort_to, sort_cc, display_from, display_to, reference_ids, preview, has_attachment, envelope, body_structure, parts)
    SELECT a, m, sha256((a || '/' || m)::bytea), m, 1, 1, 0, 0, '', '', 0, '', '', '', '', '', '', '', '', 0, '', '', ''
    FROM generate_series(1, 4) a, generate_series(1, 10000) m;
  INSERT INTO blob (account, hash, segment, position, stored_bytes, size_bytes, refs, data) SELECT account, blob, 0, 0, 1, 1, 1, 'x' FROM email;
  INSERT INTO message (account, mailbox, uid, email, flags, mod_seq, size_bytes, received_at, saved_at)
    SELECT a, b, m, (b - 1) * 5000 + m, 0, (b - 1) * 5000 + m, 1, 0, 0 FROM generate_series(1, 4) a, generate_series(1, 2) b, generate_series(1, 5000) m;
  INSERT INTO message_annotation (account, mailbox, uid, owner, entry, value, mod_seq)
    SELECT account, mailbox, uid, o, '/comment', 'x', mod_seq FROM message, generate_series(0, 1) o;
  INSERT INTO guest_seen (account, mailbox, uid, guest, is_seen, mod_seq) SELECT account, mailbox, uid, g, 1, mod_seq FROM message, generate_series(1, 2) g;
  INSERT INTO message_change (account, mailbox, mod_seq, first_uid, last_uid) SELECT account, mailbox, mod_seq, uid, uid FROM message;
  INSERT INTO tombstone (account, mailbox, mod_seq, uid) SELECT account, mailbox, mod_seq, uid + 5000 FROM message;
  INSERT INTO thread_key (account, key, thread) SELECT account, substring(blob FROM 1 FOR 16), id FROM email;
  INSERT INTO orphan (since, account, email) SELECT id, account, id FROM email;
  INSERT INTO keyword (account, folded, spelling) SELECT a, 'k' || k, 'k' FROM generate_series(1, 4) a, generate_series(1, 50) k;
  INSERT INTO keyword_set (account, id, folded, keywords) SELECT a, k, 'k' || k, 'k' FROM generate_series(1, 4) a, generate_series(1, 50) k;
  INSERT INTO snapshot (account, mailbox, chunk, mod_seq, data) SELECT a, b, c, 1, '' FROM generate_series(1, 4) a, generate_series(1, 5) b, generate_series(0, 9) c;
  INSERT INTO annotation (account, mailbox, folded, entry, mod_seq) SELECT a, b, 'e' || e, '', e FROM generate_series(1, 4) a, generate_series(1, 5) b, generate_series(1, 10) e;
  INSERT INTO commit_mark (account, mark, made_at) SELECT account, blob, id FROM email;
  INSERT INTO queue_message (id, blob, body_bytes, mail_from, skip_bytes, prefix, body_type, smtp_utf8, message_id, created_at, expires_at)
    SELECT q, '', 1, '', 0, '', '7BIT', 0, '', 0, 0 FROM generate_series(1, 5000) q;
  INSERT INTO queue_recipient (message, id, address, domain, due_at) SELECT q, r, 'a', 'd' || q, q FROM generate_series(1, 5000) q, generate_series(1, 2) r;
  INSERT INTO queue_attempt (message, recipient, number, at, kind, host, code, status, text)
    SELECT q, 1, n, 0, 'later', '', 0, '', '' FROM generate_series(1, 5000) q, generate_series(1, 2) n;
  ANALYZE;`

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Index Cond'?: string
  /** Of each loop, where it was run. */
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

/** Indexes whose other columns matter: a statement that names them all must not stop at the mailbox. */
const partial = /^\(\((\w+\.)?account = [^)]*\) AND \((\w+\.)?mailbox = [^)]*\)\)$/

/** Joins that take all rows of a side; the others go from each row to those that belong to it. */
const whole = /^(Hash Join|Merge Join|Materialize)$/

function nodesOf(plan: Plan): readonly Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}

/** Rows that were taken up, also those that were of no use. */
function readBy(node: Plan): number {
  const { 'Actual Rows': rows = 0, 'Rows Removed by Filter': removed = 0, 'Actual Loops': loops = 1 } = node
  return (rows + removed) * loops
}

const { url, query } = await createDatabase()
const store = await openStore({ url })
await query(rows)

/** How the statement is run, as a session of the store does it (session.ts): for any value. Given values, it is run with them. */
async function planOf(sql: string, values?: readonly number[]): Promise<Plan> {
  const text = numberPlaceholders(sql)
  const given = values ?? Array.from(text.matchAll(/\$\d+/g), () => 'NULL')
  const [answer] = await query(
    `SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan; PREPARE it AS ${text};
     EXPLAIN (${values ? 'ANALYZE, ' : ''}FORMAT JSON) EXECUTE it${given.length === 0 ? '' : `(${given.join(', ')})`}`,
  )
  assert.ok(answer)
  const [explained] = answer['QUERY PLAN'] as readonly { readonly Plan: Plan }[]
  assert.ok(explained)
  return explained.Plan
}

async function assertNarrow(sql: string): Promise<void> {
  for (const node of nodesOf(await planOf(sql))) {
    assert.ok(!whole.test(node['Node Type']), `${node['Node Type']}: ${sql}`)
    if (!/^(Seq|Index|Index Only|Bitmap Index|Tid) Scan$/.test(node['Node Type'])) continue
    const condition = node['Index Cond'] ?? ''
    assert.ok(condition !== '', `${JSON.stringify(node)}: ${sql}`)
    const asksForMore = /\buid (BETWEEN|=)|mod_seq (<=|>)|chunk [=>]|folded = /.test(sql)
    assert.ok(!asksForMore || !partial.test(condition), `${JSON.stringify(node)}: ${sql}`)
  }
}

const files = [
  ...mutationFiles,
  'read/mailboxes.ts',
  'read/message-bodies.ts',
  'read/credential.ts',
  'read/due-orphans.ts',
  'postgres/bodies.ts',
  'postgres/chunk-tables.ts',
  'postgres/maildrop-leases.ts',
  'postgres/maintenance.ts',
  'postgres/snapshots.ts',
  'postgres/transaction.ts',
]

for (const file of files) {
  const statements = statementsOf(file).filter(
    sql => !wide.some(([known, start]) => known === file && sql.startsWith(start)),
  )
  if (statements.length === 0) continue
  test(`${file} finds its rows by an index of PostgreSQL`, async () => {
    for (const sql of statements) await assertNarrow(sql)
  })
}

test('a refresh of a snapshot reads what changed, not the mailbox', async () => {
  await assertNarrow(changesSql)
  await assertNarrow(allSql)
  // All but the last ten changes are known, and the last two of the messages are not.
  const [modSeq, lastUid] = [4990, 4998]
  const mailbox = [1, 1]
  const values = [...mailbox, ...mailbox, modSeq, lastUid, ...mailbox, modSeq, ...mailbox, lastUid]
  const nodes = nodesOf(await planOf(changesSql, values))
  const indexes = nodes.map(node => node['Index Name'])
  assert.ok(indexes.includes('message_change_pkey') && indexes.includes('tombstone_pkey'), indexes.join())
  assert.equal(nodes[0]?.['Actual Rows'], 1 + 10 + 8 + 2)
  // Bitmaps are counted beside the rows that they lead to.
  const scans = nodes.filter(node => node['Relation Name'] ?? node['Index Name'])
  const read = scans.reduce((sum, node) => sum + readBy(node), 0)
  assert.ok(read <= 200, `${read} rows were read`)
})

test.after(() => store.close())
