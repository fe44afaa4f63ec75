import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message, startImap } from './harness.ts'

test('APPEND keeps flags and date, and tells the UID (RFC 4315)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const { tagged } = await client.append(
    'INBOX',
    message('one'),
    '(\\Flagged $Work) "17-Jul-1996 02:44:25 -0700" ',
  )
  assert.match(tagged, /^OK \[APPENDUID \d+ 1\]/)
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE)'), [
    `* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent $Work) INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE ${message('one').length})`,
  ])
})

test('APPEND waits for leave only when there is leave to give', async t => {
  const server = await startImap(t)
  const client = await server.client()
  client.send('a APPEND nothing {10}\r\n')
  assert.match((await client.line()) ?? '', /^a NO \[TRYCREATE\]/)
  client.send('b APPEND INBOX {999999999}\r\n')
  assert.match((await client.line()) ?? '', /^b NO \[TOOBIG\]/)
  client.send('c APPEND INBOX {0}\r\n')
  assert.match((await client.line()) ?? '', /^c NO/)
  client.send(`d APPEND {5}\r\n`)
  assert.match((await client.line()) ?? '', /^\+/)
  client.send(`INBOX {${message('x').length}}\r\n`)
  assert.match((await client.line()) ?? '', /^\+/)
  client.send(`${message('x')}\r\n`)
  assert.match((await client.answer('d')).tagged, /^OK \[APPENDUID/)
})

test('several messages in one APPEND are kept all or not at all (RFC 3502)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const [one, two] = [message('one'), message('two')]
  client.send(`a APPEND INBOX (\\Seen) {${one.length}+}\r\n${one} (\\Draft) {${two.length}+}\r\n${two}\r\n`)
  assert.match((await client.answer('a')).tagged, /^OK \[APPENDUID \d+ 1:2\]/)
  client.send(`b APPEND INBOX {${one.length}+}\r\n${one} {0+}\r\n\r\n`)
  assert.equal((await client.answer('b')).status, 'NO')
  assert.deepEqual(await client.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 2)'])
})

test('a message with NUL needs a literal8', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const text = message('nul', 'a\0b\r\n')
  assert.equal((await client.append('INBOX', text)).status, 'BAD')
  client.send(`a APPEND INBOX ~{${text.length}+}\r\n${text}\r\n`)
  assert.equal((await client.answer('a')).status, 'OK')
})

test('a large message comes back as it went in', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const text = message('large', `${'0123456789'.repeat(7)}\r\n`.repeat(40_000))
  assert.equal((await client.append('INBOX', text)).status, 'OK')
  await client.ok('SELECT INBOX')
  const [line] = await client.ok('FETCH 1 BODY.PEEK[]')
  assert.equal(line, `* 1 FETCH (BODY[] {${text.length}}\r\n${text})`)
})

test('STORE adds, removes and replaces flags, and answers with them', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const subject of ['one', 'two']) await client.append('INBOX', message(subject))
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('STORE 1 +FLAGS (\\Seen $Work)'), [
    '* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work)',
    '* 1 FETCH (FLAGS (\\Seen \\Recent $Work))',
  ])
  assert.deepEqual(await client.ok('STORE 1 -FLAGS \\Seen'), ['* 1 FETCH (FLAGS (\\Recent $Work))'])
  assert.deepEqual(await client.ok('UID STORE 1:2 FLAGS (\\Answered)'), [
    '* 1 FETCH (UID 1 FLAGS (\\Answered \\Recent))',
    '* 2 FETCH (UID 2 FLAGS (\\Answered \\Recent))',
  ])
  assert.deepEqual(await client.ok('STORE 2 FLAGS.SILENT (\\Draft)'), [])
  assert.deepEqual(await client.ok('STORE 1:2 +FLAGS.SILENT ($work)'), [])
  for (const text of [
    'STORE 3 FLAGS ()',
    'STORE 1 FOO (\\Seen)',
    'STORE 1 FLAGS (\\Nonsense)',
    'STORE 0 FLAGS ()',
    'STORE 1 (FOO) FLAGS ()',
  ]) {
    assert.equal((await client.command(text)).status, 'BAD', text)
  }
  assert.deepEqual(await client.ok('UID STORE 99 FLAGS ()'), [])
  await client.ok('EXAMINE INBOX')
  assert.match((await client.command('STORE 1 FLAGS ()')).tagged, /^NO \[READ-ONLY\]/)
})

test('STORE UNCHANGEDSINCE refuses what has changed (RFC 7162 §3.1.3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const subject of ['one', 'two', 'three']) await client.append('INBOX', message(subject))
  const highest = /HIGHESTMODSEQ (\d+)/.exec((await client.ok('SELECT INBOX (CONDSTORE)')).join(' '))?.[1]
  const other = await server.client()
  await other.ok('SELECT INBOX')
  await other.ok('STORE 2 +FLAGS (\\Seen)')
  const { tagged, untagged } = await client.command(
    `STORE 1:3 (UNCHANGEDSINCE ${highest}) +FLAGS.SILENT (\\Deleted)`,
  )
  assert.match(tagged, /^OK \[MODIFIED 2\]/)
  assert.match(untagged.join('\n'), /^\* 1 FETCH \(MODSEQ \(\d+\)\)$/m)
  assert.match(untagged.join('\n'), /^\* 2 FETCH \(FLAGS \(\\Seen.*\) MODSEQ \(\d+\)\)$/m)
})

test('STORE UNCHANGEDSINCE answers with the messages that it changed, and no others (RFC 7162 §3.1.3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const subject of ['one', 'two', 'three', 'four', 'five'])
    await client.append('INBOX', message(subject))
  const highest = /HIGHESTMODSEQ (\d+)/.exec((await client.ok('SELECT INBOX (CONDSTORE)')).join(' '))?.[1]
  await client.ok('STORE 2,4 +FLAGS (\\Seen)')
  const { tagged, untagged } = await client.command(
    `UID STORE 1:5 (UNCHANGEDSINCE ${highest}) +FLAGS (\\Deleted)`,
  )
  assert.match(tagged, /^OK \[MODIFIED 2,4\]/)
  assert.deepEqual(
    untagged.map(line => /^\* (\d+) FETCH \(.*FLAGS \(.*\\Deleted/.exec(line)?.[1]),
    ['1', '3', '5'],
  )
})

test('COPY and MOVE tell the new UIDs; MOVE expunges (RFC 4315, RFC 6851)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const subject of ['one', 'two', 'three'])
    await client.append('INBOX', message(subject), '(\\Flagged) ')
  await client.ok('SELECT INBOX')
  assert.match((await client.command('COPY 1:2 Archive')).tagged, /^OK \[COPYUID \d+ 1:2 1:2\]/)
  assert.match((await client.command('COPY 1 nothing')).tagged, /^NO \[TRYCREATE\]/)
  const { tagged, untagged } = await client.command('UID MOVE 1,3 Archive')
  assert.match(untagged[0] ?? '', /^\* OK \[COPYUID \d+ 1,3 3:4\]/)
  assert.deepEqual(untagged.slice(1), ['* 3 EXPUNGE', '* 1 EXPUNGE'])
  assert.match(tagged, /^OK/)
  assert.equal((await client.command('COPY 5 Archive')).status, 'BAD')
  assert.match((await client.command('UID COPY 77 Archive')).tagged, /^OK UID COPY/)
  await client.ok('SELECT Archive')
  assert.equal(
    (await client.ok('FETCH 1:4 (FLAGS)')).every(line => line.includes('\\Flagged')),
    true,
  )
})

test('a copy into the same mailbox is a new message', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('SELECT INBOX')
  const { tagged, untagged } = await client.command('COPY 1 INBOX')
  assert.match(tagged, /COPYUID \d+ 1 2\]/)
  assert.equal(untagged[0], '* 2 EXISTS')
})

test('EXPUNGE removes what is \\Deleted, UID EXPUNGE only among the UIDs given', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (let count = 1; count <= 5; count++) await client.append('INBOX', message(`${count}`))
  await client.ok('SELECT INBOX')
  await client.ok('STORE 2,3,5 +FLAGS.SILENT (\\Deleted)')
  assert.deepEqual(await client.ok('UID EXPUNGE 3:4'), ['* 3 EXPUNGE'])
  assert.deepEqual(await client.ok('EXPUNGE'), ['* 4 EXPUNGE', '* 2 EXPUNGE'])
  assert.deepEqual(await client.ok('FETCH 1:* (UID)'), ['* 1 FETCH (UID 1)', '* 2 FETCH (UID 4)'])
  assert.equal((await client.command('EXPUNGE 1')).status, 'BAD')
})

test('CLOSE expunges silently, UNSELECT and EXAMINE do not', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const subject of ['one', 'two']) await client.append('INBOX', message(subject))
  await client.ok('SELECT INBOX')
  await client.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await client.ok('UNSELECT')
  await client.ok('EXAMINE INBOX')
  assert.match((await client.command('EXPUNGE')).tagged, /^NO \[READ-ONLY\]/)
  await client.ok('CLOSE')
  assert.deepEqual(await client.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 2)'])
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('CLOSE'), [])
  assert.deepEqual(await client.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 1)'])
})

test('message numbers in an empty mailbox are BAD, UIDs are not', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('SELECT INBOX')
  assert.equal((await client.command('FETCH 1:* FLAGS')).status, 'BAD')
  assert.deepEqual(await client.ok('UID FETCH 1:* FLAGS'), [])
})

test('flags named __proto__ and constructor are flags like others', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('SELECT INBOX')
  const lines = await client.ok('STORE 1 FLAGS (__proto__ constructor toString)')
  assert.match(lines.join('\n'), /FETCH \(FLAGS \(\\Recent __proto__ constructor toString\)\)/)
  await client.ok('CREATE __proto__')
  assert.match((await client.ok('LIST "" __*')).join(), /__proto__/)
})

test('the mailbox of the session deleted by itself is left; by another it ends the session', async t => {
  const server = await startImap(t)
  const [one, two] = [await server.client(), await server.client()]
  await one.ok('CREATE x')
  await one.ok('SELECT x')
  await two.ok('SELECT x')
  await one.ok('DELETE x')
  assert.equal((await one.command('FETCH 1 FLAGS')).status, 'BAD')
  assert.equal((await one.command('NOOP')).status, 'OK')
  await two.ok('NOOP')
  assert.match((await two.line()) ?? '', /^\* BYE/)
})
