import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message, startImap } from './harness.ts'

test('UIDONLY: UIDFETCH and VANISHED in place of FETCH and EXPUNGE (RFC 9586 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  for (const subject of ['one', 'two', 'three']) await client.append('INBOX', message(subject))
  assert.deepEqual(await client.ok('ENABLE UIDONLY'), ['* ENABLED UIDONLY'])
  const select = await client.ok('SELECT INBOX')
  assert.ok(select.includes('* 3 EXISTS'))
  assert.ok(!select.some(line => line.includes('[UNSEEN')))
  assert.deepEqual(await client.ok('UID FETCH 2:3 (FLAGS)'), [
    '* 2 UIDFETCH (FLAGS (\\Recent))',
    '* 3 UIDFETCH (FLAGS (\\Recent))',
  ])
  assert.match(
    (await client.ok('UID FETCH 1 (RFC822.SIZE BODY[])'))[0] ?? '',
    /^\* 1 UIDFETCH \(FLAGS \(\\Seen \\Recent\) RFC822\.SIZE \d+ BODY\[\] /,
  )
  assert.deepEqual(await client.ok('UID STORE 2 +FLAGS (\\Flagged)'), [
    '* 2 UIDFETCH (FLAGS (\\Flagged \\Recent))',
  ])
  assert.deepEqual(await client.ok('UID SEARCH FLAGGED'), ['* SEARCH 2'])
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  assert.deepEqual(
    await client.ok('NOOP'),
    ['* 1 UIDFETCH (FLAGS (\\Deleted \\Seen \\Recent))'].map(line =>
      line.replace('\\Deleted \\Seen', '\\Seen \\Deleted'),
    ),
  )
  await other.ok('EXPUNGE')
  await other.append('INBOX', message('four'))
  assert.deepEqual((await client.ok('NOOP')).slice(0, 2), ['* VANISHED 1', '* 3 EXISTS'])
  await client.ok('UID STORE 2 +FLAGS.SILENT (\\Deleted)')
  assert.deepEqual(await client.ok('UID EXPUNGE 2'), ['* VANISHED 2'])
  assert.equal((await client.ok('UID MOVE 3 Archive'))[1], '* VANISHED 3')
  const body = message('five')
  assert.equal(
    (await client.command(`UID REPLACE 4 INBOX {${body.length}+}\r\n${body}`)).untagged[1],
    '* VANISHED 4',
  )
})

test('UIDONLY: whatever speaks of message numbers is BAD [UIDREQUIRED] (RFC 9586 §3.1)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('ENABLE UIDONLY QRESYNC')
  await client.ok('SELECT INBOX')
  for (const command of [
    'FETCH 1 FLAGS',
    'STORE 1 +FLAGS (\\Seen)',
    'COPY 1 Archive',
    'MOVE 1 Archive',
    'SEARCH ALL',
    'SORT (DATE) UTF-8 ALL',
    'UID SORT (DATE) UTF-8 1',
    'UID SEARCH 1',
    'UID SEARCH NOT (OR 1:* SEEN)',
    'SELECT INBOX (QRESYNC (1 1 1:5 (1 1)))',
  ]) {
    assert.match((await client.command(command)).tagged, /^BAD \[UIDREQUIRED\]/, command)
    await client.ok('NOOP')
  }
  assert.equal((await client.command('SELECT INBOX (QRESYNC (1 1 1:5))')).status, 'OK')
  assert.match((await client.ok('UID SEARCH RETURN (SAVE ALL) UID 1:*')).join(), /UID ALL 1$/)
})

test('UIDONLY with CONDSTORE, QRESYNC and NOTIFY: UIDFETCH everywhere', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const other = await server.client()
  for (const subject of ['one', 'two']) await client.append('INBOX', message(subject))
  await client.ok('ENABLE QRESYNC UIDONLY')
  const select = await client.ok('SELECT INBOX')
  const validity = /UIDVALIDITY (\d+)/.exec(select.join())?.[1]
  await client.ok('NOTIFY SET (selected (MessageNew (UID RFC822.SIZE) MessageExpunge FlagChange))')
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS.SILENT (\\Seen)')
  assert.match((await client.line()) ?? '', /^\* 1 UIDFETCH \(FLAGS \(\\Seen \\Recent\) MODSEQ \(\d+\)\)$/)
  await other.append('INBOX', message('three'))
  assert.equal(await client.line(), '* 3 EXISTS')
  assert.equal(await client.line(), '* 3 RECENT')
  assert.match((await client.line()) ?? '', /^\* 3 UIDFETCH \(UID 3 RFC822\.SIZE \d+\)$/)
  assert.match(
    (await client.ok('UID STORE 2 +FLAGS.SILENT (\\Flagged)'))[0] ?? '',
    /^\* 2 UIDFETCH \(MODSEQ \(\d+\)\)$/,
  )
  assert.match(
    (await client.ok('UID FETCH 1:* (FLAGS) (CHANGEDSINCE 2)')).join(),
    /\* 1 UIDFETCH \(FLAGS \(.*\) MODSEQ/,
  )
  const again = await client.ok(`SELECT INBOX (QRESYNC (${validity} 2))`)
  assert.ok(
    again.some(line => /^\* 1 UIDFETCH \(FLAGS \(\\Seen.*\) MODSEQ \(\d+\)\)$/.test(line)),
    again.join('\n'),
  )
  assert.ok(!again.some(line => / FETCH /.test(line)))
})

test('UIDBATCHES gives ranges of so many messages, the newest first (RFC 10022)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('SELECT INBOX')
  assert.equal((await client.ok('UIDBATCHES 10'))[0]?.replace(/"t\d+"/, '"t"'), '* UIDBATCHES (TAG "t")')
  const body = message('x')
  const many = Array.from({ length: 12 }, () => `{${body.length}+}\r\n${body}`).join(' ')
  await client.ok(`APPEND INBOX ${many}`)
  await client.ok('UID STORE 3,7:8 +FLAGS.SILENT (\\Deleted)')
  await client.ok('EXPUNGE')
  // 1 2 4 5 6 9 10 11 12 are left.
  client.send('A143 UIDBATCHES 4\r\n')
  assert.deepEqual((await client.answer('A143')).untagged, ['* UIDBATCHES (TAG "A143") 12:9,6:2,1:1'])
  const batches = async (range: string) => (await client.ok(`UIDBATCHES ${range}`))[0]?.split(') ')[1]
  assert.equal(await batches('4 2:3'), '6:2,1:1')
  assert.equal(await batches('4 1:1'), '12:9')
  assert.equal(await batches('4 3:9'), '1:1')
  assert.equal(await batches('4 5:9'), undefined)
  assert.equal(await batches('100'), '12:1')
  assert.equal(await batches('4294967295 1:4294967295'), '12:1')
})

test('UIDBATCHES with bad syntax, or with nothing selected, is BAD', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.equal((await client.command('UIDBATCHES 10')).status, 'BAD')
  await client.ok('SELECT INBOX')
  for (const wrong of [
    'UIDBATCHES',
    'UIDBATCHES 0',
    'UIDBATCHES 10 1',
    'UIDBATCHES 10 2:1',
    'UIDBATCHES 10 0:1',
    'UIDBATCHES 10 1:*',
    'UIDBATCHES x',
  ])
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
  await client.ok('ENABLE UIDONLY')
  assert.equal((await client.command('UIDBATCHES 10')).status, 'OK')
})
