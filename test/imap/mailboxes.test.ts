import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message, startImap } from './harness.ts'

test('LIST shows the mailboxes with their uses, and "" the separator', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.deepEqual(await client.ok('LIST "" ""'), ['* LIST (\\Noselect) "/" ""'])
  assert.deepEqual(await client.ok('LIST "" *'), [
    '* LIST (\\HasNoChildren) "/" INBOX',
    '* LIST (\\HasNoChildren \\Archive) "/" Archive',
    '* LIST (\\HasNoChildren \\Drafts) "/" Drafts',
    '* LIST (\\HasNoChildren \\Junk) "/" Junk',
    '* LIST (\\HasNoChildren \\Sent) "/" Sent',
    '* LIST (\\HasNoChildren \\Trash) "/" Trash',
  ])
})

test('CREATE makes the levels above, and LIST stops % at a level', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.match((await client.command('CREATE a/b/c')).tagged, /^OK \[MAILBOXID \(M\d+\)\]/)
  assert.deepEqual(await client.ok('LIST "" a%'), ['* LIST (\\HasChildren) "/" a'])
  assert.deepEqual(await client.ok('LIST "a/" %'), ['* LIST (\\HasChildren) "/" a/b'])
  assert.match((await client.command('CREATE a/b')).tagged, /^NO \[ALREADYEXISTS\]/)
  assert.match((await client.command('CREATE inbox')).tagged, /^NO/)
  await client.ok('CREATE d/')
  for (const name of ['""', 'a//b', '/a', '{2+}\r\na\0', '&AAA-']) {
    assert.match((await client.command(`CREATE ${name}`)).tagged, /^(NO|BAD)/, name)
  }
})

test('CREATE gives a use to one mailbox only (RFC 6154 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.match((await client.command('CREATE x (USE (\\Important))')).tagged, /^OK/)
  assert.match((await client.command('CREATE y (USE (\\Sent))')).tagged, /^NO \[USEATTR\]/)
  assert.match((await client.command('CREATE z (USE (\\Nonsense))')).tagged, /^NO \[USEATTR\]/)
  assert.equal((await client.command('CREATE z (FOO)')).status, 'BAD')
})

test('DELETE keeps what is below, and the name stays as \\NonExistent', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('CREATE a/b')
  await client.ok('DELETE a')
  assert.deepEqual(await client.ok('LIST "" a*'), [
    '* LIST (\\HasChildren \\NonExistent \\Noselect) "/" a',
    '* LIST (\\HasNoChildren) "/" a/b',
  ])
  assert.match((await client.command('SELECT a')).tagged, /^NO \[NONEXISTENT\]/)
  assert.match((await client.command('DELETE nothing')).tagged, /^NO \[NONEXISTENT\]/)
  assert.match((await client.command('DELETE INBOX')).tagged, /^NO/)
})

test('a session whose mailbox another one has deleted hears how its command ended, then BYE (RFC 2180 §3.3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  for (const [command, answer] of [
    ['NOOP', /^OK/],
    ['UID SEARCH ALL', /^(?:OK|NO)/],
    ['UID STORE 1 +FLAGS (\\Seen)', /^(?:OK|NO)/],
    ['FETCH 2 FLAGS', /^NO \[NONEXISTENT\]/],
  ] as const) {
    await client.ok('CREATE Short')
    await client.append('Short', message('one'))
    const reader = await server.client()
    await reader.ok('SELECT Short')
    await other.ok('DELETE Short')
    assert.match((await reader.command(command)).tagged, answer, command)
    assert.equal(await reader.line(), '* BYE The selected mailbox is gone')
    assert.equal(await reader.line(), undefined)
  }
  // What is done is done, and the client knows it.
  await client.ok('CREATE Short')
  await client.ok('SELECT Short')
  await other.ok('DELETE Short')
  assert.match((await client.append('INBOX', message('kept'))).tagged, /^OK \[APPENDUID/)
  assert.equal(await client.line(), '* BYE The selected mailbox is gone')
})

test('a mailbox deleted and made again has another UIDVALIDITY', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const validity = async () =>
    /UIDVALIDITY (\d+)/.exec((await client.ok('STATUS x (UIDVALIDITY)'))[0] ?? '')?.[1]
  await client.ok('CREATE x')
  const first = await validity()
  await client.ok('DELETE x')
  await client.ok('CREATE x')
  assert.ok(Number(await validity()) > Number(first))
})

test('RENAME takes those below along; of INBOX the messages go', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('CREATE a/b')
  await client.ok('RENAME a c/d')
  assert.deepEqual(
    (await client.ok('LIST "" *'))
      .filter(line => /[a-d](\/|$)/.test(line.split('"/" ')[1] ?? ''))
      .map(line => line.split('"/" ')[1]),
    ['c', 'c/d', 'c/d/b'],
  )
  await client.append('INBOX', message('one'))
  await client.ok('RENAME INBOX old')
  assert.deepEqual(await client.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 0)'])
  assert.deepEqual(await client.ok('STATUS old (MESSAGES)'), ['* STATUS old (MESSAGES 1)'])
  assert.match((await client.command('RENAME c/d old')).tagged, /^NO \[ALREADYEXISTS\]/)
  assert.match((await client.command('RENAME nothing x')).tagged, /^NO \[NONEXISTENT\]/)
  assert.match((await client.command('RENAME c c/d/e')).tagged, /^NO/)
})

test('subscriptions outlive their mailboxes, in LSUB and LIST (SUBSCRIBED)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('CREATE a/b')
  await client.ok('SUBSCRIBE a/b')
  await client.ok('DELETE a/b')
  assert.deepEqual(await client.ok('LSUB "" a/*'), [
    '* LSUB (\\HasNoChildren \\NonExistent \\Noselect) "/" a/b',
  ])
  assert.deepEqual(await client.ok('LSUB "" a%'), ['* LSUB (\\Noselect) "/" a'])
  assert.deepEqual(await client.ok('LIST (SUBSCRIBED) "" a/*'), [
    '* LIST (\\HasNoChildren \\NonExistent \\Noselect \\Subscribed) "/" a/b',
  ])
  assert.deepEqual(await client.ok('LIST (SUBSCRIBED RECURSIVEMATCH) "" a'), [
    '* LIST (\\HasNoChildren) "/" a ("CHILDINFO" ("SUBSCRIBED"))',
  ])
  await client.ok('UNSUBSCRIBE a/b')
  assert.deepEqual(await client.ok('LSUB "" a/*'), [])
  assert.equal((await client.command('LIST (RECURSIVEMATCH) "" *')).status, 'BAD')
})

test('LIST takes several patterns and gives STATUS with them (RFC 5258, RFC 5819)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  assert.deepEqual(await client.ok('LIST "" (INBOX Sent) RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN))'), [
    '* LIST (\\HasNoChildren \\Subscribed) "/" INBOX',
    '* STATUS INBOX (MESSAGES 1 UNSEEN 1)',
    '* LIST (\\HasNoChildren \\Sent \\Subscribed) "/" Sent',
    '* STATUS Sent (MESSAGES 0 UNSEEN 0)',
  ])
  assert.deepEqual((await client.ok('LIST (SPECIAL-USE) "" *')).length, 5)
})

test('names beyond ASCII are modified UTF-7 until the client asks for UTF-8', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('CREATE Entw&APw-rfe')
  assert.deepEqual(await client.ok('LIST "" Entw*'), ['* LIST (\\HasNoChildren) "/" Entw&APw-rfe'])
  await client.ok('ENABLE IMAP4rev2')
  const utf8 = Buffer.from('Entwürfe').toString('latin1')
  assert.deepEqual(await client.ok('LIST "" Entw*'), [`* LIST (\\HasNoChildren) "/" "${utf8}"`])
  assert.match((await client.ok(`SELECT "${utf8}"`)).join('\n'), /LIST \(\) "\/" "Entw/)
})

test('STATUS gives each item, and knows no others', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'), '(\\Seen) ')
  await client.append('INBOX', message('two'), '(\\Deleted) ')
  const size = message('one').length + message('two').length
  const [line] = await client.ok(
    'STATUS inbox (MESSAGES UIDNEXT UNSEEN DELETED SIZE RECENT APPENDLIMIT HIGHESTMODSEQ MAILBOXID)',
  )
  assert.match(
    line ?? '',
    new RegExp(
      `^\\* STATUS INBOX \\(MESSAGES 2 UIDNEXT 3 UNSEEN 1 DELETED 1 SIZE ${size} RECENT 2 APPENDLIMIT \\d+ HIGHESTMODSEQ \\d+ MAILBOXID \\(M\\d+\\)\\)$`,
    ),
  )
  assert.equal((await client.command('STATUS INBOX (FOO)')).status, 'BAD')
  assert.equal((await client.command('STATUS INBOX ()')).status, 'BAD')
  assert.match((await client.command('STATUS nothing (MESSAGES)')).tagged, /^NO \[NONEXISTENT\]/)
})

test('SELECT tells the state of a mailbox, and CLOSED when one was open (RFC 9051 §6.3.2)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'), '(\\Seen $Work) ')
  await client.append('INBOX', message('two'))
  const lines = (await client.ok('SELECT INBOX')).join('\n')
  for (const wanted of [
    /^\* 2 EXISTS$/m,
    /^\* 2 RECENT$/m,
    /\[UNSEEN 2\]/,
    /\[UIDNEXT 3\]/,
    /\[UIDVALIDITY \d+\]/,
    /\[HIGHESTMODSEQ \d+\]/,
    /^\* FLAGS \(.*\$Work\)$/m,
    /PERMANENTFLAGS \(.*\\\*\)/,
    /MAILBOXID/,
  ]) {
    assert.match(lines, wanted)
  }
  const again = await client.command('EXAMINE INBOX')
  assert.match(again.untagged[0] ?? '', /^\* OK \[CLOSED\]/)
  assert.match(again.tagged, /^OK \[READ-ONLY\]/)
  assert.match(again.untagged.join('\n'), /^\* 0 RECENT$/m)
  assert.match((await client.command('SELECT nothing')).tagged, /^NO \[NONEXISTENT\]/)
  assert.equal((await client.command('FETCH 1 FLAGS')).status, 'BAD')
})

test('IMAP4rev2 sees no RECENT and no UNSEEN', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('ENABLE IMAP4rev2')
  const lines = (await client.ok('SELECT INBOX')).join('\n')
  assert.doesNotMatch(lines, /RECENT|UNSEEN/)
  assert.match(lines, /^\* LIST \(\) "\/" INBOX$/m)
})

test('a user sees nothing of another', async t => {
  const server = await startImap(t)
  const alice = await server.client()
  await alice.ok('CREATE Private')
  await alice.append('Private', message('secret'))
  const bob = await server.connect()
  await bob.login('bob@example.test')
  assert.equal(
    (await bob.ok('LIST "" *')).some(line => line.includes('Private')),
    false,
  )
  for (const text of ['SELECT Private', 'STATUS Private (MESSAGES)', 'DELETE Private', 'RENAME Private x']) {
    assert.match((await bob.command(text)).tagged, /^NO \[NONEXISTENT\]/, text)
  }
  assert.match((await bob.append('Private', message('x'))).tagged, /^NO \[TRYCREATE\]/)
})
