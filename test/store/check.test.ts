import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { recordHeaderBytes } from '../../src/store/bodies/record.ts'
import { checkStore } from '../../src/store/check.ts'
import { deleted, noFlags } from '../../src/store/flags.ts'
import { openStore } from '../../src/store/open-store.ts'
import { allRights } from '../../src/store/rights.ts'
import { refuses } from './conformance.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from './fixture.ts'

/** A closed store in which a little of everything happened. */
async function makeStore(t: TestContext): Promise<string> {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir })
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const sent = await mailboxId(store, account, 'Sent')
  const same = mail(store, 'the same')
  const messages = [
    same,
    same,
    mail(store, 'k', { flags: { system: deleted, keywords: ['$K'] } }),
    mail(store),
  ]
  await store.mutate('appendMessages', { account, mailbox, messages })
  await store.mutate('copyMessages', { account, mailbox, uids: [[1, 2]], target: sent })
  await store.mutate('expungeMessages', { account, mailbox, onlyDeleted: true })
  await store.mutate('storeFlags', {
    account,
    mailbox: sent,
    uids: [[1, 1]],
    mode: 'add',
    flags: { ...noFlags, system: 1 },
  })
  const guest = await addAccount(store)
  const shared = { account, mailbox: sent }
  await store.mutate('setRights', {
    ...shared,
    grantee: guest,
    isNegative: false,
    mode: 'replace',
    rights: allRights,
  })
  const change = { mode: 'add', flags: { ...noFlags, system: 1 } } as const
  await store.mutate('storeGuestFlags', { ...shared, guest, uids: [[1, 2]], ...change })
  const { mailbox: gone } = await store.mutate('createMailbox', { account, name: 'x/y' })
  await store.mutate('moveMessages', { account, mailbox, uids: [[4, 4]], target: gone })
  await store.mutate('deleteMailbox', { account, mailbox: gone })
  await store.close()
  return dataDir
}

test('a store in order has no findings, closed or in use', async t => {
  const dataDir = await makeStore(t)
  const closed = await checkStore(dataDir)
  assert.deepEqual(closed.findings, [])
  assert.deepEqual([closed.accounts, closed.messages, closed.bodies], [2, 4, 3])
  const store = await openStore({ dataDir })
  const steps = new Set<string>()
  assert.deepEqual((await checkStore(dataDir, { onProgress: step => steps.add(step) })).findings, [])
  assert.ok(steps.has('rows'))
  await store.close()
})

const damages: readonly (readonly [kind: string, sql: string])[] = [
  ['message-without-mailbox', 'DELETE FROM mailbox WHERE id = 2'],
  ['message-without-email', 'DELETE FROM email WHERE id = 1'],
  ['email-without-body', 'DELETE FROM blob WHERE hash = (SELECT blob FROM email WHERE id = 1)'],
  ['email-without-message', 'DELETE FROM orphan WHERE email = 3'],
  ['guests', 'UPDATE guest SET seen = seen + 1'],
  ['guests', 'UPDATE guest SET mod_seq = 1000'],
  ['guest-counts', 'UPDATE mailbox SET guests = 0'],
  ['seen-but-gone', 'UPDATE guest_seen SET uid = uid + 100'],
  ['rights-of-nothing', 'UPDATE acl SET mailbox = 99'],
  ['rights-of-nothing', 'UPDATE acl SET grantee = account'],
  ['body-references', 'UPDATE blob SET refs = refs + 1'],
  ['mailbox-counts', 'UPDATE mailbox SET unseen = unseen + 1 WHERE id = 1'],
  ['mailbox-counts', 'UPDATE mailbox SET uid_next = 2 WHERE id = 1'],
  ['tombstones', 'DELETE FROM tombstone'],
  ['expunged-but-there', 'INSERT INTO tombstone (account, mailbox, mod_seq, uid) VALUES (1, 1, 2, 1)'],
  ['account-usage', 'UPDATE account SET used_bytes = used_bytes - 1'],
  ['email-numbers', 'UPDATE account SET next_email = 2'],
  ['uid-validity-twice', 'UPDATE mailbox SET uid_validity = 7'],
  ['unknown-keywords', 'UPDATE message SET flags = 99 * 256'],
  ['without-account', 'UPDATE mailbox SET account = 55 WHERE account = 1 AND id = 3'],
]
for (const [kind, sql] of damages) {
  test(`${kind} is found after: ${sql}`, async t => {
    const dataDir = await makeStore(t)
    const database = new DatabaseSync(join(dataDir, 'store.db'))
    database.exec(sql)
    database.close()
    const { findings } = await checkStore(dataDir, { withBodies: false })
    assert.ok(
      findings.some(finding => finding.kind === kind),
      JSON.stringify(findings),
    )
  })
}

test('a body that is not what was stored is found', async t => {
  const dataDir = await makeStore(t)
  const fd = openSync(join(dataDir, 'segments', '00000001.seg'), 'r+')
  writeSync(fd, 'X', recordHeaderBytes + 3)
  closeSync(fd)
  const { findings } = await checkStore(dataDir)
  assert.deepEqual(
    findings.map(finding => finding.kind),
    ['body-hash'],
  )
})

test('a segment that is missing, too short or too many is found', async t => {
  const dataDir = await makeStore(t)
  const [name] = readdirSync(join(dataDir, 'segments'))
  const segment = join(dataDir, 'segments', name as string)
  writeFileSync(segment, 'short')
  const short = await checkStore(dataDir)
  assert.deepEqual(new Set(short.findings.map(finding => finding.kind)), new Set(['body-unreadable']))
  rmSync(segment)
  const missing = await checkStore(dataDir, { maxFindings: 2 })
  assert.deepEqual(
    missing.findings.map(finding => finding.kind),
    ['segment-missing', 'segment-missing'],
  )
  assert.ok(missing.isTruncated)
  writeFileSync(join(dataDir, 'segments', '00000077.seg'), 'x'.repeat(100))
  const many = await checkStore(dataDir)
  assert.ok(
    many.findings.some(finding => finding.kind === 'unused-segment' && finding.severity === 'leftover'),
  )
})

test('there is nothing to check where there is no store', async t => {
  await assert.rejects(checkStore(temporaryFolder(t)), refuses('not-found'))
})
