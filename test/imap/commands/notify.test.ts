import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImapClient } from '../client.ts'
import { message, startImap } from '../harness.ts'

/** Waits for lines that come without any command. */
async function lines(client: ImapClient, count: number): Promise<string[]> {
  const read: string[] = []
  for (let index = 0; index < count; index++) read.push((await client.line()) ?? 'the end')
  return read
}

const all = '(MessageNew MessageExpunge FlagChange)'

test('NOTIFY SET STATUS says where mailboxes are, then tells of new mail there, without any command (RFC 5465 §3.1)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.ok('CREATE Lists/Lemonade')
  await client.ok('CREATE Lists/Im2000')
  const status = await client.ok(
    'NOTIFY SET STATUS (selected (MessageNew (uid body.peek[header.fields (from subject)]) MessageExpunge)) (subtree Lists (MessageNew MessageExpunge))',
  )
  assert.deepEqual(
    status.map(line => line.replace(/UIDVALIDITY \d+/, 'UIDVALIDITY n')),
    [
      '* STATUS Lists (MESSAGES 0 UIDNEXT 1 UIDVALIDITY n)',
      '* STATUS Lists/Im2000 (MESSAGES 0 UIDNEXT 1 UIDVALIDITY n)',
      '* STATUS Lists/Lemonade (MESSAGES 0 UIDNEXT 1 UIDVALIDITY n)',
    ],
  )
  await client.ok('SELECT INBOX')
  await other.append('Lists/Lemonade', message('one'))
  assert.deepEqual(await lines(client, 1), ['* STATUS Lists/Lemonade (UIDNEXT 2 MESSAGES 1)'])
  // Not watched: silence. The next line is of INBOX.
  await other.append('Drafts', message('draft'))
  await other.append('INBOX', message('two'))
  assert.deepEqual(await lines(client, 3), [
    '* 1 EXISTS',
    '* 1 RECENT',
    '* 1 FETCH (UID 1 BODY[HEADER.FIELDS (from subject)] {54}\r\nFrom: Alice <alice@example.test>\r\nSubject: two\r\n\r\n)'.replace(
      /\{54\}/,
      `{${'From: Alice <alice@example.test>\r\nSubject: two\r\n\r\n'.length}}`,
    ),
  ])
  await other.ok('SELECT Lists/Lemonade')
  await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await other.ok('EXPUNGE')
  assert.deepEqual(await lines(client, 1), ['* STATUS Lists/Lemonade (UIDNEXT 2 MESSAGES 0)'])
})

test('FlagChange: FETCH with UID in the selected mailbox, STATUS elsewhere (RFC 5465 §5.1)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await other.append('INBOX', message('one'))
  await other.append('Drafts', message('two'))
  await client.ok('SELECT INBOX')
  await client.ok(`NOTIFY SET (selected ${all}) (personal ${all})`)
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS.SILENT ($Junk)')
  assert.deepEqual(await lines(client, 2), [
    '* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Junk)',
    '* 1 FETCH (UID 1 FLAGS (\\Recent $Junk))',
  ])
  await other.ok('SELECT Drafts')
  await other.ok('STORE 1 +FLAGS.SILENT (\\Seen)')
  assert.match((await lines(client, 1))[0] ?? '', /^\* STATUS Drafts \(UIDVALIDITY \d+ UNSEEN 0\)$/)
  // Without CONDSTORE a flag that is not \Seen is not told.
  await other.ok('STORE 1 +FLAGS.SILENT (\\Flagged)')
  await other.ok('STORE 1 -FLAGS.SILENT (\\Seen)')
  assert.match((await lines(client, 1))[0] ?? '', /UNSEEN 1\)$/)
  await client.ok('ENABLE CONDSTORE')
  await other.ok('STORE 1 -FLAGS.SILENT (\\Flagged)')
  assert.match((await lines(client, 1))[0] ?? '', /^\* STATUS Drafts \(HIGHESTMODSEQ \d+ UIDVALIDITY \d+\)$/)
})

test('SELECTED tells expunges at once, SELECTED-DELAYED when a command may (RFC 5465 §6.1)', async t => {
  const server = await startImap(t)
  const now = await server.client()
  const later = await server.client()
  const other = await server.client()
  for (const subject of ['one', 'two', 'three']) await other.append('INBOX', message(subject))
  for (const client of [now, later, other]) await client.ok('SELECT INBOX')
  await now.ok('NOTIFY SET (selected (MessageNew MessageExpunge))')
  await later.ok('NOTIFY SET (selected-delayed (MessageNew MessageExpunge))')
  await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await other.ok('EXPUNGE')
  assert.deepEqual(await lines(now, 1), ['* 1 EXPUNGE'])
  await other.append('INBOX', message('four'))
  // New mail is told at once; the expunge waits, and numbers stay as they are.
  assert.equal((await lines(later, 1))[0], '* 4 EXISTS')
  assert.match((await later.ok('FETCH 2 UID')).join(), /\* 2 FETCH \(UID 2\)/)
  assert.deepEqual(
    (await later.ok('NOOP')).filter(line => !line.endsWith('RECENT')),
    ['* 1 EXPUNGE'],
  )
})

test('NOTIFY NONE, and SET without SELECTED: nothing is told, not even at the end of commands (RFC 5465 §3.1)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.ok('SELECT INBOX')
  for (const command of [
    'NOTIFY NONE',
    'NOTIFY SET (mailboxes Drafts (MessageNew MessageExpunge))',
    'NOTIFY SET (selected NONE)',
  ]) {
    await client.ok(command)
    await other.append('INBOX', message(command))
    assert.deepEqual(await client.ok('NOOP'), [], command)
  }
  // §3.1: a successful SET tells at once what has gathered, as NOOP would.
  assert.ok((await client.ok('NOTIFY SET (selected (MessageNew MessageExpunge))')).includes('* 3 EXISTS'))
  // What the client expunges itself it is always told.
  await client.ok('NOTIFY NONE')
  await client.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  assert.deepEqual(await client.ok('EXPUNGE'), ['* 1 EXPUNGE'])
})

test('MailboxName: made, deleted and renamed mailboxes, with their parents and OLDNAME (RFC 5465 §5.4)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.ok('NOTIFY SET (personal (MailboxName))')
  await other.ok('CREATE New')
  assert.deepEqual(await lines(client, 1), ['* LIST (\\HasNoChildren) "/" New'])
  await other.ok('CREATE New/Child')
  assert.deepEqual((await lines(client, 2)).toSorted(), [
    '* LIST (\\HasChildren) "/" New',
    '* LIST (\\HasNoChildren) "/" New/Child',
  ])
  await other.ok('RENAME New Old')
  assert.deepEqual(await lines(client, 1), ['* LIST (\\HasChildren) "/" Old ("OLDNAME" (New))'])
  await other.ok('DELETE Old/Child')
  assert.deepEqual((await lines(client, 2)).toSorted(), [
    '* LIST (\\HasNoChildren) "/" Old',
    '* LIST (\\NonExistent) "/" Old/Child',
  ])
  // §5: the client's own doings are not told.
  assert.deepEqual(await client.ok('CREATE Mine'), [])
  assert.deepEqual(await client.ok('RENAME Mine Yours'), [])
  assert.deepEqual(await client.ok('DELETE Yours'), [])
  await other.ok('CREATE Last')
  assert.deepEqual(await lines(client, 1), ['* LIST (\\HasNoChildren) "/" Last'])
})

test('SubscriptionChange and SUBSCRIBED (RFC 5465 §5.5, §6.4)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await other.ok('CREATE Unloved')
  await client.ok('NOTIFY SET (personal (SubscriptionChange)) (subscribed (MessageNew MessageExpunge))')
  await other.append('Unloved', message('one'))
  await other.ok('SUBSCRIBE Unloved')
  assert.deepEqual(await lines(client, 1), ['* LIST (\\HasNoChildren \\Subscribed) "/" Unloved'])
  await other.append('Unloved', message('two'))
  let told = await lines(client, 1)
  // Where looking takes time, the first message is met when the mailbox is subscribed already.
  if (told[0] === '* STATUS Unloved (UIDNEXT 2 MESSAGES 1)') told = await lines(client, 1)
  assert.deepEqual(told, ['* STATUS Unloved (UIDNEXT 3 MESSAGES 2)'])
  await other.ok('UNSUBSCRIBE Unloved')
  assert.deepEqual(await lines(client, 1), ['* LIST (\\HasNoChildren) "/" Unloved'])
})

test('metadata events come without ENABLE METADATA (RFC 5465 §5.6, §5.7)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await server.store.mutate('updateAccount', { account: server.account, isAdmin: true })
  const other = await server.client()
  await client.ok(
    'NOTIFY SET (mailboxes (INBOX Drafts) (MailboxMetadataChange)) (personal (ServerMetadataChange))',
  )
  await other.ok('SETMETADATA Sent (/private/comment "x")')
  await other.ok('SETMETADATA inbox (/private/comment "x")')
  assert.deepEqual(await lines(client, 1), ['* METADATA INBOX /private/comment'])
  await other.ok('SETMETADATA "" (/shared/comment "x")')
  assert.deepEqual(await lines(client, 1), ['* METADATA "" /shared/comment'])
})

test('NOTIFY with IDLE: the same events; with QRESYNC: VANISHED; own messages are not fetched (RFC 5465 §4, §5.2, §5.3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.ok('ENABLE QRESYNC')
  await client.ok('SELECT INBOX')
  await client.ok(
    `NOTIFY SET (selected-delayed (MessageNew (UID FLAGS) MessageExpunge FlagChange)) (mailboxes Drafts ${all})`,
  )
  client.send('i IDLE\r\n')
  assert.equal(await client.line(), '+ idling')
  await other.append('INBOX', message('one'))
  const [exists, , fetched] = await lines(client, 3)
  assert.deepEqual([exists, fetched], ['* 1 EXISTS', '* 1 FETCH (UID 1 FLAGS (\\Recent))'])
  await other.append('Drafts', message('draft'))
  assert.match(
    (await lines(client, 1))[0] ?? '',
    /^\* STATUS Drafts \(UIDNEXT 2 MESSAGES 1 HIGHESTMODSEQ \d+ UIDVALIDITY \d+ UNSEEN 1\)$/,
  )
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  assert.match(
    (await lines(client, 1))[0] ?? '',
    /^\* 1 FETCH \(UID 1 FLAGS \(\\Deleted(?: \\Recent)?\) MODSEQ \(\d+\)\)$/,
  )
  await other.ok('EXPUNGE')
  assert.deepEqual(await lines(client, 1), ['* VANISHED 1'])
  client.send('DONE\r\n')
  assert.equal((await client.answer('i')).status, 'OK')
  const { untagged } = await client.append('INBOX', message('mine'))
  assert.deepEqual(
    untagged.filter(line => line.includes('FETCH')),
    [],
  )
  assert.ok(untagged.includes('* 1 EXISTS'))
})

test('NOTIFY ends with UNAUTHENTICATE', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.ok('NOTIFY SET (personal (MailboxName))')
  await client.ok('UNAUTHENTICATE')
  await other.ok('CREATE New')
  assert.deepEqual(await client.ok('NOOP'), [])
  await client.login()
  assert.deepEqual(await client.ok('NOOP'), [])
})

test('LOGOUT is answered, whatever there would be to tell (RFC 9051 §6.1.3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))')
  const other = await server.client()
  await other.ok('CREATE new')
  assert.equal((await client.ok('LOGOUT')).at(-1), '* BYE Until next time')
})

test('too much at once switches NOTIFY off (RFC 5465 §5.8)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const names = Array.from({ length: 1001 }, (_, index) => `many/${index}`)
  await server.store.mutate('createMailbox', { account: server.account, name: 'many' })
  for (let at = 0; at < names.length; at += 100)
    await Promise.all(
      names
        .slice(at, at + 100)
        .map(name => server.store.mutate('createMailbox', { account: server.account, name })),
    )
  await client.ok('NOTIFY SET (personal (MailboxName))')
  await server.store.mutate('renameMailbox', { account: server.account, from: 'many', to: 'more' })
  assert.match((await lines(client, 1))[0] ?? '', /^\* OK \[NOTIFICATIONOVERFLOW\]/)
  await server.store.mutate('createMailbox', { account: server.account, name: 'silent' })
  assert.deepEqual(await client.ok('NOOP'), [])
})

test('NOTIFY with bad syntax, bad bundles or unknown events is refused, and what was set stays (RFC 5465 §3.1, §5, §8)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  await client.ok('NOTIFY SET (personal (MailboxName))')
  for (const wrong of [
    'NOTIFY',
    'NOTIFY SET',
    'NOTIFY SET STATUS',
    'NOTIFY OFF',
    'NOTIFY NONE (personal (MailboxName))',
    'NOTIFY SET ()',
    'NOTIFY SET (personal)',
    'NOTIFY SET (personal ())',
    'NOTIFY SET (everything (MailboxName))',
    'NOTIFY SET (mailboxes (MailboxName))',
    'NOTIFY SET (mailboxes () (MailboxName))',
    'NOTIFY SET (personal (MessageNew))',
    'NOTIFY SET (personal (MessageExpunge))',
    'NOTIFY SET (personal (FlagChange))',
    'NOTIFY SET (personal (AnnotationChange))',
    'NOTIFY SET (personal (MessageNew (UID) MessageExpunge))',
    'NOTIFY SET (selected (MailboxName))',
    `NOTIFY SET (selected ${all}) (selected-delayed ${all})`,
    'NOTIFY SET (selected (MessageNew () MessageExpunge))',
  ]) {
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
    await client.ok('NOOP')
  }
  assert.match(
    (await client.command('NOTIFY SET (personal (MessageNew MessageExpunge AclChange))')).tagged,
    /^NO \[BADEVENT \(MessageNew MessageExpunge FlagChange AnnotationChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange\)\]/,
  )
  await other.ok('CREATE New')
  assert.deepEqual(await lines(client, 1), ['* LIST (\\HasNoChildren) "/" New'])
  assert.equal((await (await server.connect()).command('NOTIFY NONE')).status, 'BAD')
})

test('flags that are told between two commands are told again where the next one changes them silently, as both may have crossed (RFC 9051 §6.4.6)', async t => {
  const server = await startImap(t)
  const [client, other] = [await server.client(), await server.client()]
  await client.append('INBOX', message('one'))
  for (const each of [client, other]) await each.ok('SELECT INBOX')
  await client.ok(`NOTIFY SET (selected ${all})`)
  await other.ok('STORE 1 +FLAGS (\\Seen)')
  assert.match((await client.line()) ?? '', /^\* 1 FETCH \(UID 1 FLAGS \(\\Seen/)
  const said = await client.ok('STORE 1 FLAGS.SILENT (\\Answered)')
  assert.match(said.join('\n'), /^\* 1 FETCH \(UID 1 FLAGS \(\\Answered( \\Recent)?\)\)$/)
  assert.deepEqual(await client.ok('STORE 1 FLAGS.SILENT (\\Flagged)'), [])
})
