import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { imapConfig } from '../../src/imap/config.ts'
import { message, startImap } from './harness.ts'

/** A mailbox with messages 1 to 12 where one command may work on 5. */
async function start(
  t: TestContext,
  limits: { messageLimit?: number | null; saveLimit?: number } = { messageLimit: 5 },
) {
  const server = await startImap(t, { config: { imap: imapConfig.parse(limits) } })
  const client = await server.client()
  for (let count = 1; count <= 12; count++) await client.append('INBOX', message(`m${count}`))
  await client.ok('SELECT INBOX')
  return { server, client }
}

const numbersOf = (lines: readonly string[]) => lines.map(line => Number(line.split(' ')[1]))

test('MESSAGELIMIT: FETCH and STORE work on the last messages, and say which was the lowest (RFC 9738 §3.1)', async t => {
  const { client } = await start(t)
  assert.match((await client.ok('CAPABILITY'))[0] ?? '', / MESSAGELIMIT=5( |$)/)
  const fetched = await client.command('FETCH 1:* (UID)')
  assert.deepEqual(numbersOf(fetched.untagged), [8, 9, 10, 11, 12])
  assert.match(fetched.tagged, /^OK \[MESSAGELIMIT 5 8\]/)
  assert.doesNotMatch((await client.command('FETCH 3:7 (UID)')).tagged, /MESSAGELIMIT/)
  const stored = await client.command('UID STORE 1:7,9 +FLAGS (\\Seen)')
  assert.deepEqual(numbersOf(stored.untagged), [4, 5, 6, 7, 9])
  assert.match(stored.tagged, /^OK \[MESSAGELIMIT 5 4\]/)
  assert.match((await client.command('UID STORE 1:3 +FLAGS (\\Seen)')).tagged, /^OK (?!\[)/)
  const sets = await client.command('FETCH $ UID')
  assert.deepEqual(sets.untagged, [])
})

test('MESSAGELIMIT: SEARCH counts what it looks at, not what it finds; SAVE keeps the part (RFC 9738 §3.1, §3.4)', async t => {
  const { client } = await start(t)
  const found = await client.command('SEARCH UNDELETED')
  assert.deepEqual(found.untagged, ['* SEARCH 8 9 10 11 12'])
  assert.match(found.tagged, /^OK \[MESSAGELIMIT 5 8\]/)
  const none = await client.command('UID SEARCH UID 2:9 DELETED')
  assert.deepEqual(none.untagged, ['* SEARCH'])
  assert.match(none.tagged, /^OK \[MESSAGELIMIT 5 5\]/)
  const rest = await client.command('UID SEARCH UID 2:4 UNDELETED')
  assert.deepEqual(rest.untagged, ['* SEARCH 2 3 4'])
  assert.doesNotMatch(rest.tagged, /MESSAGELIMIT/)
  assert.match((await client.command('UID SEARCH RETURN (SAVE) ALL')).tagged, /^OK \[MESSAGELIMIT 5 8\]/)
  assert.deepEqual(numbersOf(await client.ok('FETCH $ UID')), [8, 9, 10, 11, 12])
  const sorted = await client.command('UID SORT (REVERSE ARRIVAL) UTF-8 ALL')
  assert.equal(sorted.untagged[0]?.split(' ').length, 7)
  assert.match(sorted.tagged, /^OK \[MESSAGELIMIT 5 8\]/)
  assert.deepEqual(await client.ok('UID SEARCH UIDBEFORE 5 UIDAFTER 2'), ['* SEARCH 3 4'])
  assert.deepEqual(await client.ok('UID SEARCH UIDBEFORE 1'), ['* SEARCH'])
  assert.deepEqual(await client.ok('UID SEARCH UIDAFTER 12'), ['* SEARCH'])
  for (const wrong of ['UID SEARCH UIDAFTER', 'UID SEARCH UIDAFTER 0', 'UID SEARCH UIDBEFORE 1:2'])
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
})

test('MESSAGELIMIT: COPY and APPEND are all or nothing (RFC 9738 §3.1)', async t => {
  const { client } = await start(t)
  assert.match((await client.command('UID COPY 1:9 Archive')).tagged, /^NO \[MESSAGELIMIT 5 5\]/)
  assert.deepEqual(await client.ok('STATUS Archive (MESSAGES)'), ['* STATUS Archive (MESSAGES 0)'])
  assert.equal((await client.command('UID COPY 1:5 Archive')).status, 'OK')
  const six = Array.from({ length: 6 }, () => '{1+}\r\nx').join(' ')
  assert.match((await client.command(`APPEND Archive ${six}`)).tagged, /^NO \[MESSAGELIMIT 5\]/)
  assert.deepEqual(await client.ok('STATUS Archive (MESSAGES)'), ['* STATUS Archive (MESSAGES 5)'])
})

test('MESSAGELIMIT: MOVE and UID EXPUNGE go on where they stopped when they are repeated; EXPUNGE has no limit (RFC 9738 §3.1)', async t => {
  const { client } = await start(t)
  const moved = await client.command('UID MOVE 1:7 Archive')
  assert.match(moved.untagged[0] ?? '', /COPYUID \d+ 3:7 1:5/)
  assert.match(moved.tagged, /^OK \[MESSAGELIMIT 5 3\]/)
  assert.doesNotMatch((await client.command('UID MOVE 1:7 Archive')).tagged, /MESSAGELIMIT/)
  await client.ok('CREATE Other')
  await client.ok('SELECT Archive')
  await client.ok('UID STORE 1:4 +FLAGS.SILENT (\\Deleted)')
  await client.ok('UID STORE 5:7 +FLAGS.SILENT (\\Deleted)')
  const expunged = await client.command('UID EXPUNGE 1:7')
  assert.equal(expunged.untagged.length, 5)
  assert.match(expunged.tagged, /^OK \[MESSAGELIMIT 5 3\]/)
  assert.doesNotMatch((await client.command('UID EXPUNGE 1:7')).tagged, /MESSAGELIMIT/)
})

test('MESSAGELIMIT stands in an untagged NO where the tagged reply has another code (RFC 9738 §3.1)', async t => {
  const { server, client } = await start(t)
  const other = await server.client()
  await other.ok('SELECT INBOX')
  await other.ok('UID STORE 12 +FLAGS.SILENT (\\Deleted)')
  await other.ok('EXPUNGE')
  const fetched = await client.command('FETCH 1:12 (UID)')
  assert.ok(fetched.untagged.some(line => line.startsWith('* NO [MESSAGELIMIT 5 8]')))
  assert.match(fetched.tagged, /^NO \[EXPUNGEISSUED\]/)
  await client.ok('ENABLE CONDSTORE')
  const moved = await client.command('UID MOVE 1:9 Archive')
  assert.ok(moved.untagged.some(line => line.startsWith('* NO [MESSAGELIMIT 5 5]')))
  assert.match(moved.tagged, /^OK \[HIGHESTMODSEQ \d+\]/)
})

test('SAVELIMIT is about COPY and APPEND only', async t => {
  const { client } = await start(t, { messageLimit: null, saveLimit: 5 })
  assert.match((await client.ok('CAPABILITY'))[0] ?? '', /^(?!.*MESSAGELIMIT=).* SAVELIMIT=5( |$)/)
  assert.equal((await client.ok('FETCH 1:* UID')).length, 12)
  assert.match((await client.command('COPY 1:6 Archive')).tagged, /^NO \[MESSAGELIMIT 5 2\]/)
  assert.equal((await client.command('COPY 1:5 Archive')).status, 'OK')
  assert.equal((await client.command('MOVE 1:6 Archive')).status, 'OK')
})
