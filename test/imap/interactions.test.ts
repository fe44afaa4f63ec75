// Where extensions meet that have no test of their own together: the rest of the table "Interactions" of docs/imap.md.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { commands } from '../../src/imap/commands.ts'
import { testCertificate } from '../net/test-tls.ts'
import type { ImapClient } from './client.ts'
import { message, startImap, type TestServer } from './harness.ts'

async function open(t: TestContext, count = 3): Promise<{ server: TestServer; client: ImapClient }> {
  const server = await startImap(t)
  const client = await server.client()
  for (let index = 1; index <= count; index++) await client.append('INBOX', message(String(index)))
  await client.ok('SELECT INBOX')
  return { server, client }
}

async function modSeqOf(client: ImapClient, uid: number): Promise<number> {
  const lines = await client.ok(`UID FETCH ${uid} MODSEQ`)
  return Number(/MODSEQ \((\d+)\)/.exec(lines.join())?.[1])
}

test('CONDSTORE, SEARCHRES: `$` can be made by MODSEQ and used with CHANGEDSINCE and UNCHANGEDSINCE (RFC 7162 §3.1, RFC 5182 §2)', async t => {
  const { server, client } = await open(t)
  const other = await server.client()
  await other.ok('SELECT INBOX')
  await client.ok('ENABLE CONDSTORE')
  const before = await modSeqOf(client, 3)
  await other.ok('STORE 1,3 +FLAGS (\\Flagged)')
  await client.ok('NOOP')
  assert.deepEqual(await client.ok(`UID SEARCH RETURN (SAVE) MODSEQ ${before + 1}`), [])
  assert.match((await client.ok('UID SEARCH RETURN (ALL) $')).join(), / UID ALL 1,3$/)
  const after = await modSeqOf(client, 3)
  await other.ok('STORE 3 +FLAGS (\\Seen)')
  await client.ok('NOOP')
  assert.match(
    (await client.ok(`UID FETCH $ (FLAGS) (CHANGEDSINCE ${after})`)).join('|'),
    /^\* 3 FETCH \(UID 3 [^|]*$/,
  )
  const { tagged } = await client.command(`STORE $ (UNCHANGEDSINCE ${after}) +FLAGS.SILENT (\\Answered)`)
  assert.match(tagged, /^OK \[MODIFIED 3\]/)
  // With SAVE and MIN, MODSEQ is that of the message that is shown, and `$` holds it alone (RFC 4731 §3.2; RFC 5182 §2.4).
  const [shown] = await client.ok('UID SEARCH RETURN (SAVE MIN) MODSEQ 1 FLAGGED')
  assert.match(shown ?? '', new RegExp(` UID MIN 1 MODSEQ ${await modSeqOf(client, 1)}$`))
  assert.match((await client.ok('UID SEARCH RETURN (ALL) $')).join(), / UID ALL 1$/)
  // What is expunged falls out of `$`.
  await other.ok('STORE 1 +FLAGS (\\Deleted)')
  await other.ok('EXPUNGE')
  await client.ok('NOOP')
  assert.deepEqual(await client.ok('UID FETCH $ FLAGS'), [])
})

test('MULTIAPPEND, REPLACE: REPLACE takes one message, and a second one changes nothing (RFC 8508 §3.1)', async t => {
  const { client } = await open(t, 1)
  const draft = message('new')
  const literal = `{${draft.length}+}\r\n${draft}`
  assert.match((await client.command(`REPLACE 1 INBOX ${literal} ${literal}`)).tagged, /^BAD/)
  assert.match(
    (await client.command(`REPLACE 1 INBOX (\\Seen) ${literal} CATENATE (TEXT ${literal})`)).tagged,
    /^BAD/,
  )
  assert.deepEqual(await client.ok('UID SEARCH ALL'), ['* SEARCH 1'])
})

test('CATENATE, QUOTA: a message made of parts that are here counts whole, and over quota none of several is kept', async t => {
  const { server, client } = await open(t, 1)
  await client.append('INBOX', message('large', 'x'.repeat(4000)))
  await client.ok('SELECT INBOX')
  await server.store.mutate('updateAccount', { account: server.account, quotaBytes: 8192 })
  assert.match(
    (await client.command('APPEND INBOX CATENATE (URL "/INBOX/;UID=1") CATENATE (URL "/INBOX/;UID=2")'))
      .tagged,
    /^NO \[OVERQUOTA\]/,
  )
  assert.deepEqual(await client.ok('UID SEARCH ALL'), ['* SEARCH 1 2'])
  await client.ok('APPEND INBOX CATENATE (URL "/INBOX/;UID=1")')
})

test('UIDONLY: every command that has a UID form is refused without it, and none of them with it (RFC 9586 §3)', async t => {
  const { client } = await open(t, 1)
  await client.ok('ENABLE UIDONLY')
  const draft = message('new')
  const rest = new Map([
    ['FETCH', '1 FLAGS'],
    ['STORE', '1 +FLAGS (\\Seen)'],
    ['COPY', '1 Archive'],
    ['CONVERT', '1 (NIL) BINARY[1]'],
    ['SEARCH', 'ALL'],
    ['SORT', '(DATE) UTF-8 ALL'],
    ['THREAD', 'REFS UTF-8 ALL'],
    ['REPLACE', `1 INBOX {${draft.length}+}\r\n${draft}`],
    ['MOVE', '2 Archive'],
  ])
  const withUid = commands.filter(({ uid }) => uid === 'also').map(({ name }) => name)
  assert.deepEqual(withUid.toSorted(), [...rest.keys()].toSorted())
  for (const [name, text] of rest) {
    assert.match((await client.command(`${name} ${text}`)).tagged, /^BAD \[UIDREQUIRED\]/, name)
    assert.match((await client.command(`UID ${name} ${text}`)).tagged, /^OK/, name)
  }
})

test('UIDONLY, SEARCHRES, PARTIAL, THREAD, CONTEXT: sets, pages, threads and news are of UIDs (RFC 9586 §3)', async t => {
  const { server, client } = await open(t)
  await client.ok('ENABLE UIDONLY')
  await client.ok('UID STORE 1 +FLAGS (\\Deleted)')
  await client.ok('UID EXPUNGE 1')
  await client.ok('UID SEARCH RETURN (SAVE) SUBJECT 3')
  assert.deepEqual(
    await client.ok('UID FETCH $ RFC822.SIZE'),
    (await client.ok('UID FETCH 3 RFC822.SIZE')).slice(),
  )
  assert.deepEqual(await client.ok('UID FETCH 1:* (UID) (PARTIAL -1:-1)'), ['* 3 UIDFETCH (UID 3)'])
  assert.match((await client.ok('UID SEARCH RETURN (PARTIAL 1:1) ALL')).join(), / UID PARTIAL \(1:1 2\)$/)
  assert.deepEqual(await client.ok('UID THREAD REFS UTF-8 ALL'), ['* THREAD (2)(3)'])
  await client.ok('UID SEARCH RETURN (UPDATE) ALL')
  const other = await server.client()
  await other.append('INBOX', message('4'))
  await other.ok('SELECT INBOX')
  await other.ok('UID STORE 2 +FLAGS (\\Deleted)')
  await other.ok('EXPUNGE')
  const news = await client.ok('NOOP')
  assert.ok(news.includes('* VANISHED 2'), news.join('\n'))
  assert.ok(news.some(line => line.endsWith(' UID REMOVEFROM (0 2)')))
  assert.ok(news.some(line => line.endsWith(' UID ADDTO (0 4)')))
})

test('PARTIAL, SORT, CONTEXT: a page in order, then news of the whole order (RFC 9394 §3.1, RFC 5267 §4.3)', async t => {
  const { server, client } = await open(t)
  assert.match(
    (await client.ok('UID SORT RETURN (PARTIAL 1:2 UPDATE) (REVERSE ARRIVAL) UTF-8 ALL')).join(),
    / UID PARTIAL \(1:2 3,2\)$/,
  )
  await (await server.client()).append('INBOX', message('4'))
  assert.ok((await client.ok('NOOP')).some(line => line.endsWith(' UID ADDTO (1 4)')))
})

test('NOTIFY, COMPRESS, QRESYNC: news come deflated, between commands and in IDLE, as VANISHED (RFC 5465, RFC 4978)', async t => {
  const { server, client } = await open(t)
  await client.ok('ENABLE QRESYNC')
  await client.ok('COMPRESS DEFLATE')
  client.startCompression()
  await client.ok('NOTIFY SET (SELECTED (MessageNew MessageExpunge))')
  const other = await server.client()
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1:2 +FLAGS (\\Deleted)')
  await other.ok('UID EXPUNGE 1')
  assert.equal(await client.line(), '* VANISHED 1')
  client.send('i IDLE\r\n')
  assert.equal(await client.line(), '+ idling')
  await other.ok('UID EXPUNGE 2')
  assert.equal(await client.line(), '* VANISHED 2')
  client.send('DONE\r\n')
  await client.answer('i')
})

test('COMPRESS, STARTTLS: the one is for after log-in, the other for before (RFC 4978 §3, RFC 9051 §6.2.1)', async t => {
  const certificate = await testCertificate('mail.example.test')
  const server = await startImap(t, { tls: { serverOptions: () => certificate } })
  const client = await server.connect()
  assert.match((await client.command('COMPRESS DEFLATE')).tagged, /^BAD log in first/)
  await client.login()
  await client.ok('COMPRESS DEFLATE')
  client.startCompression()
  assert.match((await client.command('STARTTLS')).tagged, /^BAD/)
})

test('LANGUAGE, STARTTLS: the language is asked for anew behind TLS (RFC 5255 §3.1)', async t => {
  const certificate = await testCertificate('mail.example.test')
  const server = await startImap(t, { tls: { serverOptions: () => certificate } })
  const client = await server.connect()
  await client.ok('LANGUAGE de')
  assert.match((await client.command('NOOP')).tagged, /^OK NOOP ausgef/)
  await client.ok('STARTTLS')
  client.socket.removeAllListeners('data')
  const secure = connectTls({ socket: client.socket, rejectUnauthorized: false })
  await once(secure, 'secureConnect')
  secure.write('d NOOP\r\n')
  const [answer] = (await once(secure, 'data')) as [Buffer]
  assert.equal(answer.toString(), 'd OK NOOP completed\r\n')
})

test('I18NLEVEL=2, UNAUTHENTICATE: the comparator is the default one again (RFC 8437 §4.1)', async t => {
  const { client } = await open(t, 1)
  await client.ok('COMPARATOR i;octet')
  assert.deepEqual(await client.ok('SEARCH FROM "ALICE"'), ['* SEARCH'])
  await client.ok('UNAUTHENTICATE')
  await client.login()
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('SEARCH FROM "ALICE"'), ['* SEARCH 1'])
})

test('PREVIEW, UTF8=ACCEPT: quoted UTF-8 once it is enabled (RFC 8970 §3.1, RFC 6855 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const text = Buffer.from('Grüße').toString('latin1')
  await client.append(
    'INBOX',
    message('one', `${text}\r\n`, 'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'),
  )
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('FETCH 1 PREVIEW'), [`* 1 FETCH (PREVIEW {7}\r\n${text})`])
  await client.ok('ENABLE UTF8=ACCEPT')
  assert.deepEqual(await client.ok('FETCH 1 PREVIEW'), [`* 1 FETCH (PREVIEW "${text}")`])
})

test('INPROGRESS, FETCH: commands that write while they work report no progress (RFC 9585)', () => {
  const silent = commands.filter(({ reportsProgress }) => !reportsProgress).map(({ name }) => name)
  for (const name of ['FETCH', 'CONVERT', 'URLFETCH', 'IDLE']) assert.ok(silent.includes(name), name)
})

test('FUZZY, COMPARATOR: the comparator is left out of account (RFC 6203 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('Invoice'))
  await client.ok('SELECT INBOX')
  await client.ok('COMPARATOR i;octet')
  assert.deepEqual(await client.ok('SEARCH SUBJECT "invoice"'), ['* SEARCH'])
  assert.deepEqual(await client.ok('SEARCH FUZZY SUBJECT "invoice"'), ['* SEARCH 1'])
})
