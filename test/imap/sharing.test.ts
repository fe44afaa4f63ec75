// Mailboxes of others: names, rights, each guest's own \Seen. RFC 2342; RFC 4314; RFC 7162.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailboxId } from '../../src/base/ids.ts'
import { summarize } from '../../src/message/summary.ts'
import { imapConfig } from '../../src/imap/config.ts'
import { noFlags } from '../../src/store/flags.ts'
import { rightsOf } from '../../src/store/rights.ts'
import { message } from './harness.ts'
import { createSharing, ofAlice } from './sharing.ts'

test('NAMESPACE names the personal, the others’ and the shared namespace (RFC 2342)', async t => {
  const { alice } = await createSharing(t)
  assert.deepEqual(await alice.ok('NAMESPACE'), [
    '* NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))',
  ])
})

test('a mailbox that is shared is listed, selected and read by its name among others’; its special use is its owner’s', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.append('Sent', message('one'))
  await alice.ok('SETACL Sent bob lr')
  assert.deepEqual(await bob.ok('LIST "" "Other Users/%/%"'), [
    `* LIST (\\HasNoChildren) "/" ${ofAlice('Sent')}`,
  ])
  const selected = await bob.command(`SELECT ${ofAlice('Sent')}`)
  assert.match(selected.tagged, /^OK \[READ-ONLY\]/)
  assert.ok(selected.untagged.includes('* OK [PERMANENTFLAGS ()] These can be changed'))
  assert.ok(selected.untagged.includes('* 1 EXISTS'))
  assert.match(
    (await bob.ok('FETCH 1 (FLAGS BODY[HEADER.FIELDS (SUBJECT)])'))[0] ?? '',
    /FLAGS \(\).*Subject: one/s,
  )
  assert.match((await bob.command('STORE 1 +FLAGS (\\Seen)')).tagged, /^NO \[NOPERM\]/)
})

test('SELECT is READ-WRITE where a guest may change what others see (RFC 4314 §5.2)', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.ok('CREATE box')
  for (const [rights, code, flags] of [
    ['lrs', 'READ-ONLY', '\\Seen'],
    ['rit', 'READ-WRITE', '\\Deleted'],
    ['rset', 'READ-WRITE', '\\Seen \\Deleted'],
    ['rw', 'READ-WRITE', '\\Answered \\Flagged \\Draft \\*'],
    ['ri', 'READ-WRITE', ''],
    ['re', 'READ-WRITE', ''],
  ] as const) {
    await alice.ok(`SETACL box bob ${rights}`)
    const { untagged, tagged } = await bob.command(`SELECT ${ofAlice('box')}`)
    assert.match(tagged, new RegExp(`^OK \\[${code}\\]`), rights)
    assert.ok(untagged.includes(`* OK [PERMANENTFLAGS (${flags})] These can be changed`), rights)
  }
})

test('COPY and APPEND keep the flags that the rights are for, and never fail for the others (RFC 4314 §4)', async t => {
  for (const [rights, flags] of [
    ['rwis', ['\\Draft', '\\Answered', '\\Seen $Forwarded']],
    ['rsti', ['\\Deleted', '', '\\Seen']],
  ] as const) {
    const { alice, bob } = await createSharing(t)
    await alice.ok('CREATE TargetMailbox')
    await alice.ok(`SETACL TargetMailbox bob ${rights}`)
    await bob.append('INBOX', message('a'), '(\\Draft \\Deleted) ')
    await bob.append('INBOX', message('b'), '(\\Answered) ')
    await bob.append('INBOX', message('c'), '($Forwarded \\Seen) ')
    await bob.ok('SELECT INBOX')
    await bob.ok(`COPY 1:3 ${ofAlice('TargetMailbox')}`)
    await bob.append(ofAlice('TargetMailbox'), message('d'), '(\\Draft \\Deleted) ')
    await bob.ok(`SELECT ${ofAlice('TargetMailbox')}`)
    assert.deepEqual(
      await bob.ok('FETCH 1:4 (FLAGS)'),
      [...flags, flags[0]].map((shown, at) => `* ${at + 1} FETCH (FLAGS (${shown}))`),
    )
  }
})

test('each guest has his own \\Seen, and the owner hers; other flags are everybody’s', async t => {
  const { alice, bob, carol } = await createSharing(t)
  for (const subject of ['one', 'two', 'three']) await alice.append('INBOX', message(subject))
  await alice.ok('SETACL INBOX bob lrsw')
  await alice.ok('SETACL INBOX carol lrs')
  await alice.ok('SELECT INBOX')
  await alice.ok('STORE 1 +FLAGS (\\Seen)')
  await bob.ok(`SELECT ${ofAlice('INBOX')}`)
  await carol.ok(`SELECT ${ofAlice('INBOX')}`)
  assert.deepEqual(await bob.ok('SEARCH SEEN'), ['* SEARCH'])
  await bob.ok('FETCH 2 BODY[]')
  await bob.ok('STORE 3 +FLAGS (\\Seen \\Flagged)')
  assert.deepEqual(await bob.ok('SEARCH UNSEEN'), ['* SEARCH 1'])
  assert.deepEqual(await carol.ok('SEARCH UNSEEN'), ['* SEARCH 1 2 3', '* 3 FETCH (FLAGS (\\Flagged))'])
  assert.deepEqual(await alice.ok('SEARCH UNSEEN'), [
    '* SEARCH 2 3',
    '* 3 FETCH (FLAGS (\\Flagged \\Recent))',
  ])
  await carol.ok('STORE 1:2 FLAGS (\\Seen \\Draft)')
  assert.deepEqual(await carol.ok('FETCH 1:3 FLAGS'), [
    '* 1 FETCH (FLAGS (\\Seen))',
    '* 2 FETCH (FLAGS (\\Seen))',
    '* 3 FETCH (FLAGS (\\Flagged))',
  ])
  for (const [client, name, unseen] of [
    [alice, 'INBOX', 2],
    [bob, ofAlice('INBOX'), 1],
    [carol, ofAlice('INBOX'), 1],
  ] as const)
    assert.match((await client.ok(`STATUS ${name} (UNSEEN)`))[0] ?? '', new RegExp(`UNSEEN ${unseen}\\)`))
  await alice.ok('STORE 2:3 +FLAGS (\\Deleted)')
  await alice.ok('EXPUNGE')
  for (const client of [bob, carol]) await client.ok('NOOP')
  assert.match((await bob.ok(`STATUS ${ofAlice('INBOX')} (MESSAGES UNSEEN)`))[0] ?? '', /MESSAGES 1 UNSEEN 1/)
  assert.match(
    (await carol.ok(`STATUS ${ofAlice('INBOX')} (MESSAGES UNSEEN)`))[0] ?? '',
    /MESSAGES 1 UNSEEN 0/,
  )
})

test('a guest’s \\Seen has modSeqs: CONDSTORE, UNCHANGEDSINCE and QRESYNC tell him his own truth (RFC 7162)', async t => {
  const { alice, bob, enter } = await createSharing(t)
  for (const subject of ['one', 'two', 'three', 'four']) await alice.append('INBOX', message(subject))
  await alice.ok('SETACL INBOX bob lrs')
  await bob.ok('ENABLE QRESYNC')
  const selected = await bob.ok(`SELECT ${ofAlice('INBOX')}`)
  const start = /HIGHESTMODSEQ (\d+)/.exec(selected.join('\n'))?.[1]
  const uidValidity = /UIDVALIDITY (\d+)/.exec(selected.join('\n'))?.[1]
  const stored = await bob.ok('STORE 2 +FLAGS.SILENT (\\Seen)')
  const modSeq = Number(/MODSEQ \((\d+)\)/.exec(stored[0] ?? '')?.[1])
  assert.ok(modSeq > Number(start))
  assert.deepEqual(await bob.ok(`FETCH 1:4 (FLAGS) (CHANGEDSINCE ${start})`), [
    `* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (${modSeq}))`.replace('UID 2 ', ''),
  ])
  // Nothing has changed for the owner.
  await alice.ok('ENABLE CONDSTORE')
  await alice.ok('SELECT INBOX')
  assert.deepEqual(await alice.ok(`FETCH 1:4 (FLAGS) (CHANGEDSINCE ${start})`), [])
  const refused = await bob.command(`STORE 1:3 (UNCHANGEDSINCE ${start}) +FLAGS.SILENT (\\Seen)`)
  assert.match(refused.tagged, /^OK \[MODIFIED 2\]/)
  // Another session of his sees what is new since.
  const second = await enter('bob')
  await second.ok('ENABLE QRESYNC')
  const resynchronized = await second.ok(`SELECT ${ofAlice('INBOX')} (QRESYNC (${uidValidity} ${modSeq}))`)
  const fetched = resynchronized.filter(line => / FETCH /.test(line))
  assert.equal(fetched.length, 2)
  for (const line of fetched)
    assert.match(line, /^\* [13] FETCH \(UID [13] FLAGS \(\\Seen\) MODSEQ \(\d+\)\)$/)
  // And is told of what comes, while the owner's changes come with larger modSeqs.
  await bob.ok('STORE 2 -FLAGS (\\Seen)')
  assert.match((await second.ok('NOOP'))[0] ?? '', /^\* 2 FETCH \(UID 2 FLAGS \(\) MODSEQ \(\d+\)\)$/)
  await alice.ok('STORE 2 +FLAGS (\\Flagged)')
  assert.match(
    (await second.ok('NOOP'))[0] ?? '',
    /^\* 2 FETCH \(UID 2 FLAGS \(\\Flagged\) MODSEQ \(\d+\)\)$/,
  )
  await alice.ok('STORE 1 +FLAGS (\\Deleted)')
  await alice.ok('EXPUNGE')
  assert.deepEqual((await second.ok('NOOP')).at(0), '* VANISHED 1')
})

test('IDLE of a guest tells what the owner does, and what his other session has seen', async t => {
  const { alice, bob, enter } = await createSharing(t)
  await alice.append('INBOX', message('one'))
  await alice.ok('SETACL INBOX bob lrs')
  await bob.ok(`SELECT ${ofAlice('INBOX')}`)
  bob.send('i IDLE\r\n')
  assert.equal(await bob.line(), '+ idling')
  await alice.append('INBOX', message('two'))
  assert.equal(await bob.line(), '* 2 EXISTS')
  assert.equal(await bob.line(), '* 0 RECENT')
  const second = await enter('bob')
  await second.ok(`SELECT ${ofAlice('INBOX')}`)
  await second.ok('STORE 2 +FLAGS (\\Seen)')
  assert.equal(await bob.line(), '* 2 FETCH (FLAGS (\\Seen))')
  bob.send('DONE\r\n')
  assert.match((await bob.answer('i')).tagged, /^OK/)
})

test('rights that are taken away end the session that may not read any more, as if the mailbox was gone (RFC 4314 §5.1.1)', async t => {
  const { alice, bob, enter } = await createSharing(t)
  await alice.ok('CREATE box')
  await alice.append('box', message('one'))
  await alice.ok('SETACL box bob lrswe')
  await bob.ok(`SELECT ${ofAlice('box')}`)
  const idle = await enter('bob')
  await idle.ok(`SELECT ${ofAlice('box')}`)
  idle.send('i IDLE\r\n')
  await idle.line()
  // Fewer rights: told, and the next command is held to them.
  await alice.ok('SETACL box bob lrs')
  assert.deepEqual(await bob.ok('NOOP'), ['* OK [PERMANENTFLAGS (\\Seen)] These can be changed'])
  assert.match((await bob.command('EXPUNGE')).tagged, /^NO \[NOPERM\]/)
  assert.equal(await idle.line(), '* OK [PERMANENTFLAGS (\\Seen)] These can be changed')
  await alice.ok('SETACL box bob l')
  bob.send('a FETCH 1 BODY[]\r\n')
  assert.equal(await bob.line(), 'a NO [NONEXISTENT] There is no such mailbox')
  assert.equal(await bob.line(), '* BYE The selected mailbox is gone')
  assert.equal(await bob.line(), undefined)
  assert.equal(await idle.line(), '* BYE The selected mailbox is gone')
})

test('CREATE below a shared mailbox needs "k", and the new one has the rights of the one above (RFC 4314 §4)', async t => {
  const { alice, bob, carol } = await createSharing(t)
  await alice.ok('CREATE team')
  await alice.ok('SETACL team bob lrk')
  await alice.ok('SETACL team carol lr')
  assert.match((await carol.command(`CREATE ${ofAlice('team/sub')}`)).tagged, /^NO \[NOPERM\]/)
  assert.match((await bob.command(`CREATE ${ofAlice('sub')}`)).tagged, /^NO \[NOPERM\]/)
  assert.match((await bob.command(`CREATE ${ofAlice('team/a/b')}`)).tagged, /^OK \[MAILBOXID \(M\d+-\d+\)\]/)
  assert.deepEqual(await carol.ok(`MYRIGHTS ${ofAlice('team/a/b')}`), [
    `* MYRIGHTS ${ofAlice('team/a/b')} lr`,
  ])
  assert.deepEqual(await bob.ok(`MYRIGHTS ${ofAlice('team/a')}`), [`* MYRIGHTS ${ofAlice('team/a')} lrkc`])
  assert.match((await bob.command(`CREATE ${ofAlice('team/a')}`)).tagged, /^NO \[ALREADYEXISTS\]/)
  assert.match((await bob.command(`CREATE ${ofAlice('team/c')} (USE (\\Sent))`)).tagged, /^NO \[USEATTR\]/)
  // One's own mailboxes inherit as well.
  await alice.ok('CREATE team/mine')
  assert.deepEqual(await carol.ok(`MYRIGHTS ${ofAlice('team/mine')}`), [
    `* MYRIGHTS ${ofAlice('team/mine')} lr`,
  ])
})

test('RENAME keeps the rights, needs "x" and "k", and stays in the account; DELETE needs "x" and takes the rights along', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.ok('CREATE one')
  await alice.ok('CREATE two')
  await alice.ok('SETACL one bob lrx')
  await alice.ok('SETACL two bob lr')
  const rename = `RENAME ${ofAlice('one')} ${ofAlice('two/one')}`
  assert.match((await bob.command(rename)).tagged, /^NO \[NOPERM\]/)
  await alice.ok('SETACL two bob +k')
  assert.match((await bob.command(`RENAME ${ofAlice('two')} ${ofAlice('two/two')}`)).tagged, /^NO \[NOPERM\]/)
  assert.match((await bob.command(`RENAME ${ofAlice('one')} mine`)).tagged, /^NO \[CANNOT\]/)
  assert.match((await bob.command(`RENAME Trash ${ofAlice('two/trash')}`)).tagged, /^NO \[CANNOT\]/)
  await bob.ok(rename)
  assert.deepEqual(await bob.ok(`MYRIGHTS ${ofAlice('two/one')}`), [`* MYRIGHTS ${ofAlice('two/one')} lrxc`])
  assert.match((await bob.command(`DELETE ${ofAlice('two')}`)).tagged, /^NO \[NOPERM\]/)
  await bob.ok(`DELETE ${ofAlice('two/one')}`)
  await alice.ok('SETACL two bob ""')
  await alice.ok('CREATE two/one')
  assert.match((await bob.command(`MYRIGHTS ${ofAlice('two/one')}`)).tagged, /^NO \[NONEXISTENT\]/)
  // INBOX's messages would move.
  await alice.ok('SETACL INBOX bob lrxk')
  await alice.ok('SETACL two bob lrk')
  assert.match((await bob.command(`RENAME ${ofAlice('INBOX')} ${ofAlice('two/x')}`)).tagged, /^NO \[CANNOT\]/)
  assert.match((await bob.command(`DELETE ${ofAlice('INBOX')}`)).tagged, /^NO \[CANNOT\]/)
})

test('COPY and MOVE between accounts are whole or nothing, and count against the owner of the target', async t => {
  const { server, alice, bob } = await createSharing(t)
  await alice.ok('CREATE box')
  await alice.ok('SETACL box bob lrswite')
  for (const subject of ['one', 'two', 'three'])
    await bob.append('INBOX', message(subject), '(\\Seen keyword) ')
  await bob.ok('SELECT INBOX')
  assert.match((await bob.command(`COPY 1:2 ${ofAlice('box')}`)).tagged, /^OK \[COPYUID \d+ 1:2 1:2\]/)
  const moved = await bob.command(`MOVE 3 ${ofAlice('box')}`)
  assert.match(moved.untagged[0] ?? '', /^\* OK \[COPYUID \d+ 3 3\]/)
  assert.equal(moved.untagged[1], '* 3 EXPUNGE')
  await alice.ok('SELECT box')
  assert.deepEqual(await alice.ok('FETCH 1:3 (FLAGS)'), [
    '* 1 FETCH (FLAGS (\\Recent keyword))',
    '* 2 FETCH (FLAGS (\\Recent keyword))',
    '* 3 FETCH (FLAGS (\\Recent keyword))',
  ])
  assert.match((await alice.ok('FETCH 3 BODY[HEADER.FIELDS (SUBJECT)]'))[0] ?? '', /Subject: three/)
  await bob.ok(`SELECT ${ofAlice('box')}`)
  assert.deepEqual(await bob.ok('SEARCH SEEN'), ['* SEARCH 1 2 3'])
  // The same body from two sides is stored once, and stays as long as one of them needs it.
  await bob.ok('COPY 3 INBOX')
  await bob.ok('STORE 1:3 +FLAGS (\\Deleted)')
  await bob.ok('EXPUNGE')
  await server.store.maintain()
  await bob.ok('SELECT INBOX')
  assert.match(
    (await bob.ok('FETCH 3 (FLAGS BODY[HEADER.FIELDS (SUBJECT)])'))[0] ?? '',
    /\(\\Seen \\Recent keyword\).*Subject: three/s,
  )
  await server.store.mutate('updateAccount', { account: server.account, quotaMessages: 1 })
  assert.match((await bob.command(`COPY 1:2 ${ofAlice('box')}`)).tagged, /^NO \[OVERQUOTA\]/)
  assert.match((await bob.command(`MOVE 1:2 ${ofAlice('box')}`)).tagged, /^NO \[OVERQUOTA\]/)
  assert.match((await bob.append(ofAlice('box'), message('x'))).tagged, /^OK/)
  assert.match((await bob.append(ofAlice('box'), message('x'))).tagged, /^NO \[OVERQUOTA\]/)
  assert.match((await alice.ok('STATUS box (MESSAGES)'))[0] ?? '', /MESSAGES 1\)/)
  assert.match((await bob.ok('STATUS INBOX (MESSAGES)'))[0] ?? '', /MESSAGES 3\)/)
})

test('MOVE and COPY inside another’s account keep the email and the owner’s \\Seen', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.ok('CREATE one')
  await alice.ok('CREATE two')
  await alice.append('one', message('a'), '(\\Seen) ')
  await alice.append('one', message('b'))
  for (const name of ['one', 'two']) await alice.ok(`SETACL ${name} bob lrswite`)
  await bob.ok(`SELECT ${ofAlice('one')}`)
  const before = await bob.ok('FETCH 1 EMAILID')
  assert.match(before[0] ?? '', /EMAILID \(E\d+-\d+\)/)
  await bob.ok('STORE 2 +FLAGS (\\Seen)')
  await bob.ok(`MOVE 1:2 ${ofAlice('two')}`)
  await bob.ok(`SELECT ${ofAlice('two')}`)
  assert.deepEqual(await bob.ok('FETCH 1 EMAILID'), before)
  assert.deepEqual(await bob.ok('SEARCH SEEN'), ['* SEARCH 2'])
  await alice.ok('SELECT two')
  assert.deepEqual(await alice.ok('SEARCH SEEN'), ['* SEARCH 1'])
})

test('REPLACE works across accounts, in one step', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.ok('CREATE box')
  await alice.ok('SETACL box bob lrswite')
  await bob.append(ofAlice('box'), message('old'))
  await bob.ok(`SELECT ${ofAlice('box')}`)
  const replacement = message('new')
  const replace = (target: string) =>
    `REPLACE 1 ${target} (\\Seen) {${replacement.length}+}\r\n${replacement}`
  assert.equal((await bob.command(replace(ofAlice('box')))).status, 'OK')
  assert.deepEqual(await bob.ok('SEARCH SEEN'), ['* SEARCH 1'])
  assert.equal((await bob.command(replace('INBOX'))).status, 'OK')
  assert.match((await bob.ok(`STATUS ${ofAlice('box')} (MESSAGES UNSEEN)`))[0] ?? '', /MESSAGES 0 UNSEEN 0/)
  await bob.ok('SELECT INBOX')
  assert.match((await bob.ok('FETCH 1 (FLAGS)'))[0] ?? '', /\\Seen/)
  assert.equal((await bob.command(replace(ofAlice('box')))).status, 'OK')
  await alice.ok('SETACL box bob lri')
  await bob.ok(`SELECT ${ofAlice('box')}`)
  assert.match((await bob.command(replace('INBOX'))).tagged, /^NO \[NOPERM\]/)
})

test('object ids of others’ mailboxes are not those of one’s own, and SEARCH knows them (RFC 8474)', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.append('INBOX', message('one'))
  await bob.append('INBOX', message('one'))
  await alice.ok('SETACL INBOX bob lr')
  const own = await bob.ok('STATUS INBOX (MAILBOXID)')
  const others = await bob.ok(`STATUS ${ofAlice('INBOX')} (MAILBOXID)`)
  const id = (lines: readonly string[]) => /\(([MET][\d-]+)\)/.exec(lines.join('\n'))?.[1]
  assert.notEqual(id(own), id(others))
  await bob.ok('SELECT INBOX')
  const ownEmail = id(await bob.ok('FETCH 1 EMAILID'))
  await bob.ok(`SELECT ${ofAlice('INBOX')}`)
  const email = id(await bob.ok('FETCH 1 EMAILID'))
  const thread = id(await bob.ok('FETCH 1 THREADID'))
  assert.deepEqual(await bob.ok(`SEARCH EMAILID ${email} THREADID ${thread}`), ['* SEARCH 1'])
  assert.deepEqual(await bob.ok(`SEARCH EMAILID ${ownEmail}`), ['* SEARCH'])
  const [line = ''] = await bob.ok('FETCH 1 (X-GM-MSGID X-GM-THRID)')
  const [, gmailId = '', gmailThread = ''] = /X-GM-MSGID (\d+) X-GM-THRID (\d+)/.exec(line) ?? []
  assert.ok(Number(gmailId) > 2 ** 32)
  assert.deepEqual(await bob.ok(`SEARCH X-GM-MSGID ${gmailId} X-GM-THRID ${gmailThread}`), ['* SEARCH 1'])
  assert.deepEqual(await bob.ok(`SEARCH X-GM-MSGID ${ownEmail?.slice(1)}`), ['* SEARCH'])
})

test('METADATA of others’ mailboxes is what they share, and private entries stay with the owner (RFC 5464 §3.3)', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.ok('CREATE box')
  await alice.ok('SETMETADATA box (/private/comment "mine" /shared/comment "ours")')
  await alice.ok('SETACL box bob lr')
  assert.deepEqual(await bob.ok(`GETMETADATA ${ofAlice('box')} (/private/comment /shared/comment)`), [
    `* METADATA ${ofAlice('box')} (/private/comment NIL /shared/comment "ours")`,
  ])
  assert.match(
    (await bob.command(`SETMETADATA ${ofAlice('box')} (/private/comment "x")`)).tagged,
    /^NO \[METADATA NOPRIVATE\]/,
  )
  await alice.ok('ENABLE METADATA')
  await bob.ok('ENABLE METADATA')
  await bob.ok(`SETMETADATA ${ofAlice('box')} (/shared/comment "new")`)
  assert.deepEqual(await alice.ok('NOOP'), ['* METADATA box /shared/comment'])
  await alice.ok('SETMETADATA box (/private/comment "x")')
  await alice.ok('SETMETADATA box (/shared/comment "again")')
  assert.deepEqual(await bob.ok('NOOP'), [`* METADATA ${ofAlice('box')} /shared/comment`])
  await alice.ok('SETACL box bob l')
  assert.match((await bob.command(`GETMETADATA ${ofAlice('box')} /shared/comment`)).tagged, /^NO \[NOPERM\]/)
})

test('GETQUOTAROOT of another’s mailbox shows its owner’s root to who can put something there', async t => {
  const { server, alice, bob } = await createSharing(t)
  await server.store.mutate('updateAccount', { account: server.account, quotaMessages: 5 })
  await alice.ok('CREATE box')
  await alice.ok('SETACL box bob lr')
  assert.deepEqual(await bob.ok(`GETQUOTAROOT ${ofAlice('box')}`), [`* QUOTAROOT ${ofAlice('box')}`])
  await alice.ok('SETACL box bob lri')
  const [root, quota] = await bob.ok(`GETQUOTAROOT ${ofAlice('box')}`)
  assert.equal(root, `* QUOTAROOT ${ofAlice('box')} alice@example.test`)
  assert.match(quota ?? '', /^\* QUOTA alice@example\.test \(.*MESSAGE 0 5/)
})

test('ESEARCH IN goes through others’ mailboxes that may be read, by name or subscription (RFC 7377 §2.2)', async t => {
  const { alice, bob } = await createSharing(t)
  for (const [name, rights] of [
    ['a', 'lr'],
    ['b', 'r'],
    ['c', 'l'],
  ]) {
    await alice.ok(`CREATE ${name}`)
    await alice.append(`${name}`, message(`in ${name}`), '(\\Seen) ')
    await alice.ok(`SETACL ${name} bob ${rights}`)
  }
  const found = async (source: string) =>
    (await bob.ok(`ESEARCH IN (${source}) RETURN (COUNT) UNSEEN`)).map(line => /test\/(\w+)/.exec(line)?.[1])
  assert.deepEqual(await found(`mailboxes (${ofAlice('a')} ${ofAlice('b')} ${ofAlice('c')})`), ['a', 'b'])
  assert.deepEqual(await found('subtree "Other Users/alice@example.test"'), ['a'])
  assert.deepEqual(await found('personal'), [])
  await bob.ok(`SUBSCRIBE ${ofAlice('a')}`)
  assert.deepEqual(await found('subscribed'), ['a'])
})

test('a subscription of another’s mailbox stays when the rights go, as of a name that is not there', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.ok('CREATE box')
  await alice.ok('SETACL box bob l')
  await bob.ok(`SUBSCRIBE ${ofAlice('box')}`)
  assert.deepEqual(await bob.ok(`LSUB "" ${ofAlice('box')}`), [
    `* LSUB (\\HasNoChildren \\Noselect) "/" ${ofAlice('box')}`,
  ])
  await alice.ok('DELETEACL box bob')
  assert.deepEqual(await bob.ok(`LSUB "" ${ofAlice('box')}`), [
    `* LSUB (\\HasNoChildren \\NonExistent \\Noselect) "/" ${ofAlice('box')}`,
  ])
  await bob.ok(`UNSUBSCRIBE ${ofAlice('box')}`)
  assert.deepEqual(await bob.ok('LSUB "" "Other*"'), [])
})

test('a mailbox of one’s own that is called as a namespace is still there, and comes first', async t => {
  const { server, alice, bob, accountOf } = await createSharing(t)
  // As older mail may have been imported.
  await server.store.mutate('createMailbox', { account: await accountOf('bob'), name: 'Shared/old' })
  await alice.ok('SETACL INBOX bob lr')
  assert.equal((await bob.command('SELECT Shared/old')).status, 'OK')
  assert.deepEqual(await bob.ok('LIST "" Shared/*'), ['* LIST (\\HasNoChildren) "/" Shared/old'])
  assert.match((await bob.command('CREATE Shared/new')).tagged, /^NO \[NOPERM\]/)
  assert.match((await bob.command('CREATE "Other Users/bob@example.test/new"')).tagged, /^NO \[NOPERM\]/)
  assert.match(
    (await bob.command('SELECT "Other Users/bob@example.test/INBOX"')).tagged,
    /^NO \[NONEXISTENT\]/,
  )
})

test('NOTIFY tells of others’ mailboxes: rights given and taken, messages and own \\Seen (RFC 5465 §5)', async t => {
  const { alice, bob, enter } = await createSharing(t)
  await alice.ok('CREATE box')
  await alice.ok('CREATE listed')
  await alice.ok('SETACL listed bob l')
  assert.deepEqual(
    await bob.ok(
      `NOTIFY SET (mailboxes ${ofAlice('listed')} (MessageNew MessageExpunge)) (subtree "Other Users" (MessageNew MessageExpunge FlagChange MailboxName))`,
    ),
    [`* LIST (\\NoAccess) "/" ${ofAlice('listed')}`],
  )
  await alice.ok('SETACL box bob lrs')
  assert.equal(await bob.line(), `* LIST (\\HasNoChildren) "/" ${ofAlice('box')}`)
  assert.match(
    (await bob.line()) ?? '',
    /^\* LIST \(\\HasChildren .*\) "\/" "Other Users\/alice@example\.test"$/,
  )
  await alice.append('box', message('one'))
  assert.equal(
    await bob.line(),
    `* STATUS ${ofAlice('box')} (UIDNEXT 2 MESSAGES 1 UIDVALIDITY ${await validity()} UNSEEN 1)`.replace(
      / UIDVALIDITY \d+ UNSEEN 1/,
      ` UIDVALIDITY ${await validity()} UNSEEN 1`,
    ),
  )
  const second = await enter('bob')
  await second.ok(`SELECT ${ofAlice('box')}`)
  await second.ok('STORE 1 +FLAGS (\\Seen)')
  assert.match((await bob.line()) ?? '', /^\* STATUS .*UNSEEN 0\)$/)
  await alice.ok('RENAME box new')
  assert.equal(
    await bob.line(),
    `* LIST (\\HasNoChildren) "/" ${ofAlice('new')} ("OLDNAME" (${ofAlice('box')}))`,
  )
  await alice.ok('DELETEACL new bob')
  assert.equal(await bob.line(), `* LIST (\\NonExistent) "/" ${ofAlice('new')}`)

  async function validity(): Promise<string> {
    return /UIDVALIDITY (\d+)/.exec((await alice.ok('STATUS box (UIDVALIDITY)')).join(''))?.[1] ?? ''
  }
})

test('NOTIFY tells of what is shared with anyone, by whomever, and of what is not any more (RFC 5465 §5.4, RFC 4314)', async t => {
  const config = { imap: imapConfig.parse({ shareWithAnyone: true }) }
  const { alice, bob } = await createSharing(t, { config })
  await alice.ok('CREATE box')
  await bob.ok('NOTIFY SET (subtree "Other Users" (MailboxName))')
  await alice.ok('SETACL box anyone lr')
  assert.equal(await bob.line(), `* LIST (\\HasNoChildren) "/" ${ofAlice('box')}`)
  assert.match((await bob.line()) ?? '', /^\* LIST .* "Other Users\/alice@example\.test"$/)
  await alice.ok('SETACL box -anyone l')
  assert.equal(await bob.line(), `* LIST (\\NonExistent) "/" ${ofAlice('box')}`)
})

test('an authorised URL of another’s mailbox is good as long as who has authorised it may read there (RFC 4467)', async t => {
  const { alice, bob, carol } = await createSharing(t)
  await alice.append('INBOX', message('one', 'secret text\r\n'))
  await alice.ok('SETACL INBOX bob lr')
  const path = 'Other%20Users/alice@example.test/INBOX'
  const rump = `imap://bob@localhost/${path}/;UID=1/;SECTION=TEXT;URLAUTH=user+carol`
  const url = /"(imap:[^"]+)"/.exec((await bob.ok(`GENURLAUTH "${rump}" INTERNAL`))[0] ?? '')?.[1]
  assert.match((await carol.ok(`URLFETCH "${url}"`)).join(), /secret text/)
  await alice.ok('DELETEACL INBOX bob')
  assert.match((await carol.ok(`URLFETCH "${url}"`)).join(), / NIL$/)
  await alice.ok('SETACL INBOX bob lr')
  // The owner's keys and a guest's are apart.
  await alice.ok('RESETKEY INBOX')
  assert.match((await carol.ok(`URLFETCH "${url}"`)).join(), /secret text/)
  await bob.ok(`RESETKEY ${ofAlice('INBOX')}`)
  assert.match((await carol.ok(`URLFETCH "${url}"`)).join(), / NIL$/)
  assert.match(
    (await carol.command(`GENURLAUTH "${rump.replace('bob', 'carol')}" INTERNAL`)).tagged,
    /^NO \[NONEXISTENT\]/,
  )
})

test('CATENATE takes parts of others’ messages that may be read (RFC 4469)', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.append('INBOX', message('one', 'text of alice\r\n'))
  const url = '/Other%20Users/alice@example.test/INBOX/;UID=1/;SECTION=TEXT'
  const append = `APPEND INBOX CATENATE (TEXT {16+}\r\nSubject: copy\r\n\r URL "${url}")`.replace(
    '{16+}\r\nSubject: copy\r\n\r',
    '{17+}\r\nSubject: copy\r\n\r\n',
  )
  assert.match((await bob.command(append)).tagged, /^NO \[BADURL/)
  await alice.ok('SETACL INBOX bob lr')
  assert.equal((await bob.command(append)).status, 'OK')
  await bob.ok('SELECT INBOX')
  assert.match((await bob.ok('FETCH 1 BODY[TEXT]')).join(), /text of alice/)
})

test('a shared account is in its own namespace; nobody logs in as it, mail reaches it, an administrator acts for it', async t => {
  const { server, bob, carol, accountOf } = await createSharing(t)
  const { account } = await server.store.mutate('createAccount', {
    address: 'team@example.test',
    domain: 'example.test',
    createDomain: false,
    displayName: '',
    isAdmin: false,
    kind: 'shared',
    credentials: [],
    mailboxes: [{ name: 'INBOX' }],
  })
  const letter = message('for the team')
  const body = server.store.bodyOf(Buffer.from(letter))
  await server.store.mutate('deliverMessages', {
    deliveries: [{ account, mailbox: 'INBOX', body, email: summarize(Buffer.from(letter)), flags: noFlags }],
  })
  await server.store.mutate('setRights', {
    account,
    mailbox: 1 as MailboxId,
    grantee: await accountOf('bob'),
    isNegative: false,
    mode: 'replace',
    rights: rightsOf('lrswiktea'),
  })
  const inbox = 'Shared/team@example.test/INBOX'
  assert.deepEqual(await bob.ok('LIST "" Shared/*'), [
    '* LIST (\\HasChildren \\NonExistent \\Noselect) "/" Shared/team@example.test',
    `* LIST (\\HasNoChildren) "/" ${inbox}`,
  ])
  assert.match((await carol.command(`SELECT ${inbox}`)).tagged, /^NO \[NONEXISTENT\]/)
  // Who administers such a mailbox may share it with anyone.
  await bob.ok(`SETACL ${inbox} anyone lrs`)
  await carol.ok(`SELECT ${inbox}`)
  await carol.ok('FETCH 1 BODY[]')
  await bob.ok(`CREATE ${inbox}/done`)
  await bob.ok(`SELECT ${inbox}`)
  assert.deepEqual(await bob.ok('SEARCH UNSEEN'), ['* SEARCH 1'])
  assert.match((await bob.command(`MOVE 1 ${inbox}/done`)).status, /OK/)
  await carol.ok(`SELECT ${inbox}/done`)
  // For carol it is a new message there.
  assert.deepEqual(await carol.ok('SEARCH UNSEEN'), ['* SEARCH 1'])
  // Nobody logs in as it, whatever is stored; but an administrator may act for it.
  await server.store.mutate('updateAccount', { account: server.account, isAdmin: true })
  const admin = await server.connect()
  const plain = (authzid: string, name: string) =>
    Buffer.from(`${authzid}\0${name}\0secret`).toString('base64')
  assert.equal((await admin.command(`AUTHENTICATE PLAIN ${plain('', 'team')}`)).status, 'NO')
  await admin.ok(`AUTHENTICATE PLAIN ${plain('team@example.test', 'alice')}`)
  await admin.ok('CREATE Top')
  await admin.ok('SETACL Top anyone lr')
  assert.deepEqual(await carol.ok('LIST "" Shared/team@example.test/%'), [
    `* LIST (\\HasChildren) "/" ${inbox}`,
    '* LIST (\\HasNoChildren) "/" Shared/team@example.test/Top',
  ])
})

test('CLOSE without "e" is OK and expunges nothing (RFC 4314 §4)', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.append('INBOX', message('one'), '(\\Deleted) ')
  await alice.ok('SETACL INBOX bob lrt')
  await bob.ok(`SELECT ${ofAlice('INBOX')}`)
  await bob.ok('CLOSE')
  assert.match((await alice.ok('STATUS INBOX (MESSAGES)'))[0] ?? '', /MESSAGES 1\)/)
  await alice.ok('SETACL INBOX bob +e')
  await bob.ok(`SELECT ${ofAlice('INBOX')}`)
  await bob.ok('CLOSE')
  assert.match((await alice.ok('STATUS INBOX (MESSAGES)'))[0] ?? '', /MESSAGES 0\)/)
})

test('FETCH BODY[] of a guest without "s" sets nothing', async t => {
  const { alice, bob } = await createSharing(t)
  await alice.append('INBOX', message('one'))
  await alice.ok('SETACL INBOX bob lr')
  await bob.ok(`SELECT ${ofAlice('INBOX')}`)
  await bob.ok('FETCH 1 BODY[]')
  assert.deepEqual(await bob.ok('SEARCH SEEN'), ['* SEARCH'])
})
