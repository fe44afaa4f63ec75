// SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS, with the examples of RFC 4314, and LIST RETURN (MYRIGHTS) of RFC 8440.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapConfig } from '../../../src/imap/config.ts'
import { limits } from '../../../src/base/limits.ts'
import { createSharing } from '../sharing.ts'

test('SETACL gives rights, GETACL shows them with the owner first and the rights of RFC 2086 (RFC 4314 §2.1.1, §3.3)', async t => {
  const { alice } = await createSharing(t)
  await alice.ok('CREATE Drafts/shared')
  await alice.ok('SetAcl Drafts/shared bob lrswida')
  assert.deepEqual(await alice.ok('getacl Drafts/shared'), [
    '* ACL Drafts/shared alice@example.test lrswipkxtenacd bob@example.test lrswitead',
  ])
  await alice.ok('SETACL Drafts/shared bob lrswikda')
  assert.match((await alice.ok('GETACL Drafts/shared'))[0] ?? '', / bob@example\.test lrswikteacd$/)
  await alice.ok('SETACL Drafts/shared carol@example.test lr')
  await alice.ok('SETACL Drafts/shared carol@EXAMPLE.test +cda')
  assert.match((await alice.ok('GETACL Drafts/shared'))[0] ?? '', / carol@example\.test lrkxteacd$/)
  await alice.ok('SETACL Drafts/shared carol -ad')
  assert.match((await alice.ok('GETACL Drafts/shared'))[0] ?? '', / carol@example\.test lrkxc$/)
})

test('rights that are none, in capitals, or of an identifier that can be none, are BAD (RFC 4314 §3, §3.1)', async t => {
  const { alice } = await createSharing(t)
  for (const command of [
    'SETACL INBOX bob lrQswicda',
    'SETACL INBOX bob lrqswicda',
    'SETACL INBOX bob lr0',
    'SETACL INBOX bob ++l',
    'SETACL INBOX bob',
    'SETACL INBOX',
    'SETACL',
    'SETACL INBOX bob lr more',
    'SETACL INBOX "" lr',
    'SETACL INBOX "-" lr',
    `SETACL INBOX ${'x'.repeat(limits.acl.identifierBytes + 1)} lr`,
    'GETACL',
    'GETACL INBOX more',
    'DELETEACL INBOX',
    'LISTRIGHTS INBOX',
    'LISTRIGHTS INBOX bob more',
    'MYRIGHTS',
    'MYRIGHTS INBOX more',
  ]) {
    assert.equal((await alice.command(command)).status, 'BAD', command)
    // So many at once would end the session.
    await alice.ok('NOOP')
  }
  assert.match((await alice.ok('GETACL INBOX'))[0] ?? '', /^\* ACL INBOX alice@example\.test \S+$/)
})

test('before log-in there are no rights', async t => {
  const { server } = await createSharing(t)
  const nobody = await server.connect()
  for (const command of ['SETACL INBOX bob lr', 'GETACL INBOX', 'MYRIGHTS INBOX', 'LISTRIGHTS INBOX bob'])
    assert.equal((await nobody.command(command)).status, 'BAD')
})

test('an identifier that is no account’s name is refused', async t => {
  const { alice } = await createSharing(t)
  for (const command of ['SETACL INBOX nobody lr', 'DELETEACL INBOX nobody', 'LISTRIGHTS INBOX $team'])
    assert.match((await alice.command(command)).tagged, /^NO \[CANNOT\]/)
})

test('DELETEACL removes one entry, and leaves the negative one (RFC 4314 §3.2)', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.ok('SETACL INBOX bob lrswipkxtenacd')
  await alice.ok('SETACL INBOX -bob wetd')
  assert.match(
    (await alice.ok('GETACL INBOX'))[0] ?? '',
    / bob@example\.test lrswipkxtenacd -bob@example\.test wted$/,
  )
  assert.deepEqual(await bob.ok('MYRIGHTS "Other Users/alice@example.test/INBOX"'), [
    '* MYRIGHTS "Other Users/alice@example.test/INBOX" lrsipkxnac',
  ])
  await alice.ok('DeleteAcl INBOX bob')
  assert.match(
    (await alice.ok('GETACL INBOX'))[0] ?? '',
    /^\* ACL INBOX alice@example\.test \S+ -bob@example\.test wted$/,
  )
  await alice.ok('DELETEACL INBOX bob')
  await alice.ok('SETACL INBOX -bob ""')
  assert.match((await alice.ok('GETACL INBOX'))[0] ?? '', /^\* ACL INBOX alice@example\.test \S+$/)
})

test('the owner keeps all rights, whatever is tried (RFC 4314 §2)', async t => {
  const { alice } = await createSharing(t)
  for (const command of [
    'SETACL INBOX alice lr',
    'SETACL INBOX alice -a',
    'SETACL INBOX -alice a',
    'DELETEACL INBOX alice',
    'DELETEACL INBOX -alice',
  ])
    assert.match((await alice.command(command)).tagged, /^NO \[CANNOT\]/, command)
  await alice.ok('SETACL INBOX alice lrswipkxtena')
  await alice.ok('SETACL INBOX alice +lr')
  await alice.ok('SETACL INBOX -anyone lrswipkxtea')
  assert.deepEqual(await alice.ok('MYRIGHTS inbox'), ['* MYRIGHTS INBOX lrswipkxtenacd'])
  assert.deepEqual(await alice.ok('LISTRIGHTS INBOX alice'), ['* LISTRIGHTS INBOX alice lrswipkxtenacd'])
})

test('LISTRIGHTS names each right once, and the identifier as the client wrote it (RFC 4314 §3.4, §3.7)', async t => {
  const { alice } = await createSharing(t)
  assert.deepEqual(await alice.ok('LISTRIGHTS INBOX BOB'), [
    '* LISTRIGHTS INBOX BOB "" l r s w i p k x t e n a c d',
  ])
  assert.deepEqual(await alice.ok('LISTRIGHTS INBOX -bob'), [
    '* LISTRIGHTS INBOX -bob "" l r s w i p k x t e n a c d',
  ])
})

test('only administrators share with anyone, unless the configuration lets all; taking away from anyone is for all', async t => {
  const { server, alice, bob } = await createSharing(t)
  assert.match((await alice.command('SETACL INBOX anyone lr')).tagged, /^NO \[NOPERM\]/)
  assert.deepEqual(await alice.ok('LISTRIGHTS INBOX anyone'), ['* LISTRIGHTS INBOX anyone ""'])
  await alice.ok('SETACL INBOX -anyone w')
  await alice.ok('SETACL INBOX anyone -w')
  await server.store.mutate('updateAccount', { account: server.account, isAdmin: true })
  const admin = await server.client()
  await admin.ok('SETACL INBOX anyone lrw')
  assert.deepEqual(await bob.ok('MYRIGHTS "Other Users/alice@example.test/INBOX"'), [
    '* MYRIGHTS "Other Users/alice@example.test/INBOX" lr',
  ])
  const open = await createSharing(t, { config: { imap: imapConfig.parse({ shareWithAnyone: true }) } })
  await open.alice.ok('SETACL INBOX anyone lr')
  assert.equal((await open.bob.ok('LIST "" "Other Users/*"')).length, 2)
})

test('a mailbox is shared with so many, not more', async t => {
  const { server, alice } = await createSharing(t)
  const mailbox = {
    account: server.account,
    mailbox: 1 as never,
    isNegative: false,
    mode: 'replace',
    rights: 1,
  } as const
  // Entries of accounts that come after: made straight in the store.
  for (let count = 0; count < limits.acl.entries; count++)
    await server.store
      .mutate('createAccount', {
        address: `user${count}@example.test`,
        domain: 'example.test',
        createDomain: false,
        displayName: '',
        isAdmin: false,
        credentials: [],
        mailboxes: [],
      })
      .then(({ account }) => server.store.mutate('setRights', { ...mailbox, grantee: account }))
  assert.match((await alice.command('SETACL INBOX bob lr')).tagged, /^NO \[LIMIT\]/)
  assert.equal((await alice.command('SETACL INBOX user0 lrs')).status, 'OK')
})

test('who has "a" in another’s mailbox administers it; who has not is refused (RFC 4314 §4)', async t => {
  const { alice, bob, carol } = await createSharing(t)
  await alice.ok('CREATE box')
  await alice.ok('SETACL box bob lra')
  const name = '"Other Users/alice@example.test/box"'
  await bob.ok(`SETACL ${name} carol lr`)
  assert.deepEqual(await bob.ok(`GETACL ${name}`), [
    `* ACL ${name} alice@example.test lrswipkxtenacd bob@example.test lra carol@example.test lr`,
  ])
  assert.match((await carol.command(`GETACL ${name}`)).tagged, /^NO \[NOPERM\]/)
  assert.match((await carol.command(`SETACL ${name} carol lra`)).tagged, /^NO \[NOPERM\]/)
  assert.match((await carol.command(`LISTRIGHTS ${name} carol`)).tagged, /^NO \[NOPERM\]/)
  assert.match((await bob.command(`SETACL ${name} alice lr`)).tagged, /^NO \[CANNOT\]/)
  await bob.ok(`SETACL ${name} bob -a`)
  assert.match((await bob.command(`GETACL ${name}`)).tagged, /^NO \[NOPERM\]/)
})

test('LIST RETURN (MYRIGHTS) tells the rights of each mailbox, and of no level without one (RFC 8440 §4)', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.ok('CREATE foo')
  await alice.ok('CREATE foo/bar')
  await alice.ok('SETACL foo/bar bob lrs')
  assert.deepEqual(await alice.ok('LIST "" (INBOX foo) RETURN (MYRIGHTS)'), [
    '* LIST (\\HasNoChildren) "/" INBOX',
    '* MYRIGHTS INBOX lrswipkxtenacd',
    '* LIST (\\HasChildren) "/" foo',
    '* MYRIGHTS foo lrswipkxtenacd',
  ])
  assert.deepEqual(await bob.ok('LIST "" "Other Users/*" RETURN (MYRIGHTS)'), [
    '* LIST (\\HasChildren \\NonExistent \\Noselect) "/" "Other Users/alice@example.test"',
    '* LIST (\\HasChildren \\NonExistent \\Noselect) "/" "Other Users/alice@example.test/foo"',
    '* LIST (\\HasNoChildren) "/" "Other Users/alice@example.test/foo/bar"',
    '* MYRIGHTS "Other Users/alice@example.test/foo/bar" lrs',
  ])
  await alice.ok('SUBSCRIBE foo/bar')
  assert.deepEqual(await alice.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" fo% RETURN (MYRIGHTS)'), [
    '* LIST (\\HasChildren) "/" foo ("CHILDINFO" ("SUBSCRIBED"))',
  ])
})

test('the capabilities are announced once logged in', async t => {
  const { alice } = await createSharing(t)
  assert.match((await alice.ok('CAPABILITY'))[0] ?? '', / ACL RIGHTS=texkn LIST-MYRIGHTS /)
})
