import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapConfig } from '../../../src/imap/config.ts'
import type { ImapClient } from '../client.ts'
import { message, startImap } from '../harness.ts'

/** Subjects in a mailbox. */
async function subjects(client: ImapClient, mailbox: string): Promise<readonly string[]> {
  await client.ok(`EXAMINE ${mailbox}`)
  const lines = await client.ok('UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
  return lines.flatMap(line => /Subject: (.*)\r\n/.exec(line)?.[1] ?? [])
}

test('X-GM-EXT-1 is announced only where it is switched on, and understood always', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.doesNotMatch((await client.ok('CAPABILITY'))[0] ?? '', /X-GM/)
  await client.append('INBOX', message('one'))
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('FETCH 1 X-GM-LABELS'), ['* 1 FETCH (X-GM-LABELS ("\\\\Inbox"))'])
  const gmail = await startImap(t, { config: { imap: imapConfig.parse({ gmail: true }) } })
  assert.match((await (await gmail.client()).ok('CAPABILITY'))[0] ?? '', / X-GM-EXT-1/)
})

test('X-GM-MSGID and X-GM-THRID are the same in every mailbox, and can be searched for', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.append(
    'INBOX',
    message('Re: one', 'x', 'In-Reply-To: <one@example.test>\r\n').replace(
      'Message-ID: <Re',
      'Message-ID: <r',
    ),
  )
  await client.append('INBOX', message('two'))
  await client.ok('SELECT INBOX')
  const [first, second, third] = await client.ok('FETCH 1:3 (X-GM-MSGID X-GM-THRID)')
  const ids = (line: string | undefined) =>
    /X-GM-MSGID (\d+) X-GM-THRID (\d+)/.exec(line ?? '')?.slice(1) ?? []
  const [id, thread] = ids(first)
  assert.equal(ids(second)[1], thread)
  assert.notEqual(ids(third)[1], thread)
  assert.deepEqual(await client.ok(`SEARCH X-GM-MSGID ${id}`), ['* SEARCH 1'])
  assert.deepEqual(await client.ok(`UID SEARCH X-GM-THRID ${thread} NOT X-GM-MSGID ${id}`), ['* SEARCH 2'])
  // Ids as Gmail's own, larger than any here.
  assert.deepEqual(await client.ok('SEARCH X-GM-MSGID 18446744073709551615'), ['* SEARCH'])
  assert.match((await client.command('SEARCH X-GM-MSGID 118446744073709551615')).tagged, /^BAD/)
  await client.ok('COPY 1 Archive')
  await client.ok('SELECT Archive')
  assert.deepEqual(ids((await client.ok('FETCH 1 (X-GM-MSGID X-GM-THRID)'))[0]), [id, thread])
})

test('labels are the mailboxes that hold the email, with the names that Gmail has for some, and three flags', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('CREATE "Muy Importante"')
  await client.ok('CREATE "caf&AOk-"')
  await client.append('INBOX', message('one'), '(\\Flagged $important) ')
  await client.ok('SELECT INBOX')
  for (const name of ['Sent', 'Drafts', 'Junk', 'Trash', 'Archive', '"Muy Importante"', '"caf&AOk-"'])
    await client.ok(`COPY 1 ${name}`)
  const labels =
    '("\\\\Starred" "\\\\Important" Archive "\\\\Draft" "\\\\Inbox" "\\\\Spam" "Muy Importante" "\\\\Sent" "\\\\Trash" caf&AOk-)'
  assert.deepEqual(await client.ok('FETCH 1 X-GM-LABELS'), [`* 1 FETCH (X-GM-LABELS ${labels})`])
  for (const key of [
    '\\Inbox',
    '"\\\\sent"',
    '\\Starred',
    '\\Important',
    '"Muy Importante"',
    '"caf&AOk-"',
    'Archive',
    'inbox',
  ])
    assert.deepEqual(await client.ok(`SEARCH X-GM-LABELS ${key}`), ['* SEARCH 1'], key)
  assert.deepEqual(await client.ok('SEARCH X-GM-LABELS muy'), ['* SEARCH'])
  assert.deepEqual(await client.ok('SEARCH X-GM-LABELS \\Muted'), ['* SEARCH'])
  assert.match((await client.command('SEARCH X-GM-LABELS \\Nonsense')).tagged, /^BAD/)
})

test('+X-GM-LABELS copies into mailboxes and makes those that are missing', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'), '(\\Seen) ')
  await client.append('INBOX', message('two'))
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('STORE 1 +X-GM-LABELS (work)'), [
    '* 1 FETCH (X-GM-LABELS ("\\\\Inbox" work))',
  ])
  assert.deepEqual(await client.ok('UID STORE 1:2 +X-GM-LABELS (work \\Starred)'), [
    '* 1 FETCH (UID 1 X-GM-LABELS ("\\\\Starred" "\\\\Inbox" work))',
    '* 2 FETCH (UID 2 X-GM-LABELS ("\\\\Starred" "\\\\Inbox" work))',
    '* 1 FETCH (FLAGS (\\Seen \\Flagged \\Recent))',
    '* 2 FETCH (FLAGS (\\Flagged \\Recent))',
  ])
  const silent = await client.ok('STORE 2 +X-GM-LABELS.SILENT ("a/b")')
  assert.ok(!silent.some(line => line.includes('X-GM')))
  assert.deepEqual(await client.ok('LIST "" a*'), [
    '* LIST (\\HasChildren) "/" a',
    '* LIST (\\HasNoChildren) "/" a/b',
  ])
  // Once each, with the flags it has.
  assert.deepEqual(await subjects(client, 'work'), ['one', 'two'])
  for (const text of [
    '+X-GM-LABELS',
    '+X-GM-LABELS (',
    '+X-GM-LABELS (\\Nonsense)',
    '+X-GM-LABELS (a) b',
    '+X-GM-MSGID 1',
  ])
    assert.match((await client.command(`STORE 1 ${text}`)).tagged, /^BAD/, text)
})

test('-X-GM-LABELS takes out of mailboxes, and what would be in none goes to the archive', async t => {
  const server = await startImap(t)
  const [client, other] = [await server.client(), await server.client()]
  await client.append('INBOX', message('one'))
  await client.append('INBOX', message('two'))
  await client.ok('SELECT INBOX')
  await other.ok('SELECT INBOX')
  await client.ok('STORE 1:2 +X-GM-LABELS (work)')
  assert.deepEqual(await client.ok('STORE 1 -X-GM-LABELS (work nowhere)'), [
    '* 1 FETCH (X-GM-LABELS ("\\\\Inbox"))',
  ])
  // Out of the mailbox that is selected: the expunge is told when numbers may change.
  assert.deepEqual(await client.ok('STORE 2 -X-GM-LABELS (\\Inbox)'), [])
  assert.deepEqual(await client.ok('NOOP'), ['* 2 EXPUNGE'])
  assert.deepEqual(
    (await other.ok('NOOP')).filter(line => line.includes('EXPUNGE')),
    ['* 2 EXPUNGE'],
  )
  assert.deepEqual(await client.ok('UID STORE 1 -X-GM-LABELS (\\Inbox)'), ['* 1 EXPUNGE'])
  assert.deepEqual(await subjects(client, 'Archive'), ['one'])
  assert.deepEqual(await subjects(client, 'work'), ['two'])
  // The last label can't be taken away from the archive itself.
  await client.ok('SELECT Archive')
  assert.deepEqual(await client.ok('STORE 1 -X-GM-LABELS (Archive)'), ['* 1 FETCH (X-GM-LABELS (Archive))'])
})

test('X-GM-LABELS without a sign sets exactly these', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'), '(\\Flagged) ')
  await client.ok('SELECT INBOX')
  await client.ok('STORE 1 +X-GM-LABELS (a b)')
  assert.deepEqual(await client.ok('STORE 1 X-GM-LABELS (b c \\Inbox \\Important)'), [
    '* 1 FETCH (X-GM-LABELS ("\\\\Important" "\\\\Inbox" b c))',
    '* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Important)',
    '* 1 FETCH (FLAGS (\\Recent $Important))',
  ])
  assert.deepEqual(await subjects(client, 'a'), [])
  await client.ok('SELECT c')
  await client.ok('UID STORE 1 X-GM-LABELS ()')
  assert.deepEqual(await subjects(client, 'Archive'), ['one'])
  for (const name of ['INBOX', 'b', 'c']) assert.deepEqual(await subjects(client, name), [], name)
})

test('adding \\Trash or \\Spam takes the email out of all other mailboxes, as Gmail does', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.append('INBOX', message('two'))
  await client.ok('SELECT INBOX')
  await client.ok('STORE 1:2 +X-GM-LABELS (work)')
  await client.ok('UID STORE 1 +X-GM-LABELS (\\Trash)')
  await client.ok('UID STORE 2 +X-GM-LABELS ("\\\\Spam")')
  for (const name of ['INBOX', 'work']) assert.deepEqual(await subjects(client, name), [], name)
  assert.deepEqual(await subjects(client, 'Trash'), ['one'])
  assert.deepEqual(await subjects(client, 'Junk'), ['two'])
})

test('labels keep to quotas, to EXAMINE, to UNCHANGEDSINCE and to UIDONLY', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.append('INBOX', message('two'))
  await client.ok('EXAMINE INBOX')
  assert.match((await client.command('STORE 1 +X-GM-LABELS (work)')).tagged, /^NO \[READ-ONLY\]/)
  await client.ok('SELECT INBOX')
  const modSeq = Number(/MODSEQ \((\d+)\)/.exec((await client.ok('FETCH 1 MODSEQ')).join())?.[1])
  await client.ok('STORE 1 +FLAGS (\\Seen)')
  assert.match(
    (await client.command(`STORE 1:2 (UNCHANGEDSINCE ${modSeq + 1}) +X-GM-LABELS (work)`)).tagged,
    /^OK \[MODIFIED 1\]/,
  )
  assert.deepEqual(await subjects(client, 'work'), ['two'])
  await server.store.mutate('updateAccount', { account: server.account, quotaMessages: 3 })
  await client.ok('SELECT INBOX')
  assert.match((await client.command('STORE 1:2 +X-GM-LABELS (more \\Starred)')).tagged, /^NO \[OVERQUOTA\]/)
  assert.deepEqual(await client.ok('SEARCH FLAGGED'), ['* SEARCH'])
  // What only changes its place needs no room.
  await client.ok('STORE 1 X-GM-LABELS (Archive)')
  await client.ok('ENABLE UIDONLY')
  assert.match((await client.command('STORE 2 +X-GM-LABELS (x)')).tagged, /^BAD \[UIDREQUIRED\]/)
  assert.ok(
    (await client.ok('UID STORE 2 -X-GM-LABELS (work)')).includes('* 2 UIDFETCH (X-GM-LABELS ("\\\\Inbox"))'),
  )
})

test('a label of the system for which there is no mailbox is refused', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('DELETE Sent')
  await client.append('INBOX', message('one'))
  await client.ok('SELECT INBOX')
  assert.equal(
    (await client.command('STORE 1 +X-GM-LABELS (\\Sent)')).tagged,
    'NO [CANNOT] No mailbox here is for \\Sent',
  )
})

test('in a mailbox of another account ids are not those of one’s own, and where else its emails lie is not told (RFC 4314)', async t => {
  const server = await startImap(t)
  const [owner, guest] = [await server.client(), await server.connect()]
  await guest.login('bob@example.test')
  await owner.ok('CREATE Secret')
  await owner.ok('CREATE Shared')
  await owner.ok('SETACL Shared bob@example.test lrswite')
  await owner.append('Shared', message('one'), '(\\Flagged) ')
  await guest.append('INBOX', message('own'))
  await owner.ok('SELECT Shared')
  await owner.ok('STORE 1 +X-GM-LABELS (Secret)')
  await guest.ok('SELECT INBOX')
  const own = /X-GM-MSGID (\d+)/.exec((await guest.ok('FETCH 1 X-GM-MSGID')).join())?.[1]
  const shared = '"Other Users/alice@example.test/Shared"'
  await guest.ok(`SELECT ${shared}`)
  const [line] = await guest.ok('FETCH 1 (X-GM-MSGID X-GM-THRID X-GM-LABELS)')
  const [, id, thread, labels] =
    /X-GM-MSGID (\d+) X-GM-THRID (\d+) X-GM-LABELS (\(.*?\))/.exec(line ?? '') ?? []
  assert.notEqual(id, own)
  assert.equal(labels, '("\\\\Starred")')
  assert.deepEqual(await guest.ok(`UID SEARCH X-GM-MSGID ${id} X-GM-THRID ${thread}`), ['* SEARCH 1'])
  assert.deepEqual(await guest.ok(`UID SEARCH X-GM-MSGID ${own}`), ['* SEARCH'])
  assert.deepEqual(await guest.ok('UID SEARCH X-GM-LABELS Secret'), ['* SEARCH'])
  assert.match((await guest.command('STORE 1 +X-GM-LABELS (mine)')).tagged, /^NO \[CANNOT\]/)
})
