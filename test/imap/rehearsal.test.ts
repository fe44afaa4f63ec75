import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Metrics } from '../../src/base/metrics.ts'
import { rehearseImap } from '../../src/imap/rehearsal.ts'
import type { EmailId, MailboxId, ModSeq } from '../../src/base/ids.ts'
import { readEmailRows } from '../../src/imap/fetch/email-rows.ts'
import { withMadeUpMailbox } from '../../src/imap/rehearsal-mailbox.ts'
import { listMailboxes } from '../../src/store/read/mailboxes.ts'
import { fill } from './fetch/mailbox.ts'
import { valuesOf } from '../store/snapshot-values.ts'
import { message, startImap } from './harness.ts'

const mail = [{ bytes: Buffer.from(message('one')) }]

test('a rehearsal runs each of its commands on a mailbox of any name', async t => {
  const { store, account, context } = await startImap(t)
  assert.deepEqual(await rehearseImap(context, () => true), [], 'an empty INBOX')
  const name = 'A "quoted" \\ & größer'
  await store.mutate('createMailbox', { account, name })
  await fill(store, account, mail, name)
  assert.deepEqual(await rehearseImap(context, () => true), [], 'a mailbox with mail')
})

test('a rehearsal leaves nothing behind: no \\Recent that is claimed, no session, nothing counted', async t => {
  const counted: string[] = []
  const metrics: Metrics = {
    count: name => counted.push(name),
    gauge: name => counted.push(name),
    observe: name => counted.push(name),
  }
  const { store, account, context, client } = await startImap(t, { metrics })
  await fill(store, account, mail)
  const before = await listMailboxes(store.reader, account)
  assert.deepEqual(await rehearseImap(context, () => true), [])
  assert.deepEqual(await listMailboxes(store.reader, account), before)
  assert.deepEqual(counted, [])
  const imap = await client()
  assert.ok((await imap.ok('SELECT INBOX')).includes('* 1 RECENT'))
})

test('a rehearsal leaves the rest out once somebody has come', async t => {
  const { store, account, context } = await startImap(t)
  await fill(store, account, mail)
  for (const left of [0, 1, 5]) {
    let asked = 0
    assert.deepEqual(await rehearseImap(context, () => asked++ < left), [])
    assert.equal(asked, left + 1)
  }
})

test('the mailbox that is made up has what lists show of each message', async t => {
  const { store, account } = await startImap(t)
  const { reader } = withMadeUpMailbox(store, account, 1 as MailboxId, 4096)
  const ids = Array.from({ length: 256 }, (_unused, at) => (4096 - 256 + at) as EmailId)
  const rows = await readEmailRows(reader, account, ids, new Set(['envelope', 'body_structure']))
  assert.deepEqual([...rows.keys()], ids)
  for (const { envelope, body_structure: structure } of rows.values()) {
    assert.match(String(envelope), /^\("Mon, .*" "What it is about" .*\)$/)
    assert.match(String(structure), /^\("TEXT" "PLAIN" .*\)$/)
  }
})

test('of the mailbox that is made up something has changed since it was packed', async t => {
  const { store, account } = await startImap(t)
  const made = withMadeUpMailbox(store, account, 1 as MailboxId, 2000)
  const snapshot = await made.snapshot(account, 1 as MailboxId)
  const { count, uids, modSeq } = snapshot
  const expected = Array.from({ length: 2001 }, (_unused, at) => at + 1).filter(uid => uid !== 2000)
  assert.deepEqual(valuesOf(uids, count), expected)
  assert.equal(modSeq, 3)
  // Every other of the first had been read before.
  assert.deepEqual(snapshot.changedAfter(1 as ModSeq), [1, 3, 5, 7, 1999])
})
