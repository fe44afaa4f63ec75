import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { checkStore } from '../../src/store/check.ts'
import { openStore } from '../../src/store/open-store.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { silentMetrics } from '../../src/base/metrics.ts'
import { addAccount, mail, mailboxId, temporaryFolder } from '../store/fixture.ts'
import type { ImapClient } from './client.ts'
import { message, startImap, type TestServer } from './harness.ts'

async function open(t: TestContext, count = 3): Promise<{ server: TestServer; client: ImapClient }> {
  const server = await startImap(t)
  const client = await server.client()
  for (let index = 1; index <= count; index++) await client.append('INBOX', message(String(index)))
  await client.ok('SELECT INBOX')
  return { server, client }
}

const without = (lines: readonly string[], word: string) => lines.filter(line => !line.includes(word))

test('SELECT says how large an annotation may be, EXAMINE that none can be set (RFC 5257 §4.1, §4.2)', async t => {
  const { client } = await open(t)
  assert.match((await client.ok('CAPABILITY'))[0] ?? '', / ANNOTATE-EXPERIMENT-1/)
  assert.ok(
    (await client.ok('SELECT INBOX (ANNOTATE)')).some(line => line.startsWith('* OK [ANNOTATIONS 65536]')),
  )
  assert.ok(
    (await client.ok('EXAMINE INBOX (ANNOTATE CONDSTORE)')).some(line =>
      line.startsWith('* OK [ANNOTATIONS READ-ONLY]'),
    ),
  )
  const { tagged } = await client.command('STORE 1 ANNOTATION (/comment (value.priv "x"))')
  assert.match(tagged, /^NO \[READ-ONLY\]/)
})

test('FETCH ANNOTATION of one entry, of several, and by patterns (RFC 5257 §4.3, §4.4)', async t => {
  const { client } = await open(t, 1)
  assert.deepEqual(
    await client.ok('STORE 1 ANNOTATION (/comment (value.priv "My comment" value.shared "Group note"))'),
    [],
  )
  assert.deepEqual(await client.ok('FETCH 1 (ANNOTATION (/comment value))'), [
    '* 1 FETCH (ANNOTATION (/comment (value.priv "My comment" value.shared "Group note")))',
  ])
  await client.ok('STORE 1 ANNOTATION (/comment (value.shared NIL))')
  await client.ok(
    'STORE 1 ANNOTATION (/altsubject (value.priv "Rhinoceroses!") /vendor/foobar/label.priv (value.priv "label43") /vendor/foobar/personality (value.priv "Tallulah Bankhead") /1/comment (value.shared "x"))',
  )
  assert.deepEqual(await client.ok('UID FETCH 1 (UID ANNOTATION (/* (value.priv size.priv)))'), [
    '* 1 FETCH (UID 1 ANNOTATION (/altsubject (value.priv "Rhinoceroses!" size.priv "13") /comment (value.priv "My comment" size.priv "10") /vendor/foobar/label.priv (value.priv "label43" size.priv "7") /vendor/foobar/personality (value.priv "Tallulah Bankhead" size.priv "17")))',
  ])
  assert.deepEqual(await client.ok('FETCH 1 (ANNOTATION (/% value.shared))'), ['* 1 FETCH (ANNOTATION ())'])
  await client.ok(
    'STORE 1 ANNOTATION (/comment (value.shared "Patch Mangler") /altsubject (value.shared "Patches?"))',
  )
  assert.deepEqual(await client.ok('FETCH 1 (ANNOTATION (/% value.shared))'), [
    '* 1 FETCH (ANNOTATION (/altsubject (value.shared "Patches?") /comment (value.shared "Patch Mangler")))',
  ])
  assert.deepEqual(await client.ok('FETCH 1 (ANNOTATION ((/comment /altsubject) value.priv))'), [
    '* 1 FETCH (ANNOTATION (/comment (value.priv "My comment") /altsubject (value.priv "Rhinoceroses!")))',
  ])
  await client.ok('STORE 1 ANNOTATION (/comment (value.shared NIL))')
  assert.deepEqual(await client.ok('FETCH 1 (ANNOTATION (/comment (value size)))'), [
    '* 1 FETCH (ANNOTATION (/comment (value.priv "My comment" value.shared NIL size.priv "10" size.shared "0")))',
  ])
  // What is not there has no value and the size 0; names are told apart by case.
  assert.deepEqual(await client.ok('FETCH 1 (ANNOTATION (/Comment (value.priv size.priv)) FLAGS)'), [
    '* 1 FETCH (ANNOTATION (/Comment (value.priv NIL size.priv "0")) FLAGS (\\Recent))',
  ])
})

test('STORE ANNOTATION sets, replaces and removes values of any bytes (RFC 5257 §4.5)', async t => {
  const { client } = await open(t, 2)
  await client.ok('STORE 1 ANNOTATION (/comment (value.priv "My new comment"))')
  await client.ok(
    'UID STORE 1:2 ANNOTATION (/comment (value.priv "Get tix Tuesday") /altsubject (value.priv "Wots On"))',
  )
  await client.ok('STORE 2 ANNOTATION (/comment (value.priv "My new comment" value.shared "foo\'s bar"))')
  await client.ok(
    'STORE 1 ANNOTATION (/vendor/x/bin (value.shared ~{3+}\r\na\0b) /comment (value.priv {4+}\r\n\r\n\xc3\xa9))',
  )
  assert.deepEqual(await client.ok('FETCH 1:2 (ANNOTATION (* value))'), [
    '* 1 FETCH (ANNOTATION (/altsubject (value.priv "Wots On" value.shared NIL) /comment (value.priv {4}\r\n\r\n\xc3\xa9 value.shared NIL) /vendor/x/bin (value.priv NIL value.shared ~{3}\r\na\0b)))',
    '* 2 FETCH (ANNOTATION (/altsubject (value.priv "Wots On" value.shared NIL) /comment (value.priv "My new comment" value.shared "foo\'s bar")))',
  ])
  await client.ok(
    'STORE 1:2 ANNOTATION (/comment (value.priv NIL value.shared NIL) /altsubject (value.priv NIL))',
  )
  assert.deepEqual(await client.ok('FETCH 2 (ANNOTATION (* value))'), ['* 2 FETCH (ANNOTATION ())'])
})

test('bad names, attributes and parts are BAD (RFC 5257 §3.2)', async t => {
  const { client } = await open(t, 1)
  const store = (text: string) => `STORE 1 ANNOTATION ${text}`
  for (const text of [
    store('()'),
    store('(/comment ())'),
    store('(/comment (value "x"))'),
    store('(/comment (size.priv "1"))'),
    store('(/comment (value.other "x"))'),
    store('(comment (value.priv "x"))'),
    store('(/a//b (value.priv "x"))'),
    store('(/a/ (value.priv "x"))'),
    store('(/ (value.priv "x"))'),
    store('("/a*" (value.priv "x"))'),
    store('(/comment (value.priv {3+}\r\na\0b))'),
    store('(/2/comment (value.priv "x"))'),
    store('(/1.1/comment (value.priv "x"))'),
    store('(/1a/comment (value.priv "x"))'),
    store('(/01/comment (value.priv "x"))'),
    store('(/1 (value.priv "x"))'),
    store('(/1/flags/seen (value.priv "yes"))'),
    store('/comment (value.priv "x")'),
    store(''),
    'STORE 1 +ANNOTATION (/comment (value.priv "x"))',
    'STORE 1 ANNOTATION.SILENT (/comment (value.priv "x"))',
    'FETCH 1 ANNOTATION',
    'FETCH 1 (ANNOTATION /comment)',
    'FETCH 1 (ANNOTATION (/comment color))',
    'FETCH 1 (ANNOTATION (/comment ()))',
    'FETCH 1 (ANNOTATION (() value))',
    'SEARCH ANNOTATION /comment size "1"',
    'SEARCH ANNOTATION /comment value',
    'SORT (ANNOTATION /comment value) UTF-8 ALL',
    'SORT (ANNOTATION /* value.priv) UTF-8 ALL',
    'SORT (ANNOTATION /comment size.priv) UTF-8 ALL',
  ]) {
    assert.match((await client.command(text)).tagged, /^BAD/, text)
    await client.ok('NOOP')
  }
  assert.match((await client.command(store('(/flags (value.priv "x"))'))).tagged, /^NO \[CANNOT\]/)
  for (const text of [
    '(/1/comment (value.priv "x"))',
    '(/1/flags/seen (value.priv "1"))',
    '(/1/vendor/x/y (value.shared "x"))',
  ])
    await client.ok(store(text))
  const stranger = await (await startImap(t)).client()
  assert.match((await stranger.command(store('(/comment (value.priv "x"))'))).tagged, /^BAD select/)
})

test('values, annotations of a message and all of them are bounded (RFC 5257 §4.1, §4.5; RFC 9208 §5.4)', async t => {
  const { server, client } = await open(t, 1)
  const size = limits.annotation.valueBytes
  const store = (bytes: number) =>
    `STORE 1 ANNOTATION (/comment (value.priv {${bytes}+}\r\n${'x'.repeat(bytes)}))`
  await client.ok(store(size))
  assert.match((await client.command(store(size + 1))).tagged, /^NO \[ANNOTATE TOOBIG\]/)
  await client.ok('STORE 1 ANNOTATION (/comment (value.priv NIL))')
  const many = (count: number) =>
    Array.from({ length: count }, (_none, at) => `/vendor/x/${at} (value.priv "x")`).join(' ')
  await client.ok(`STORE 1 ANNOTATION (${many(limits.annotation.perMessage)})`)
  assert.match(
    (await client.command('STORE 1 ANNOTATION (/one/more (value.priv "x"))')).tagged,
    /^NO \[ANNOTATE TOOMANY\]/,
  )
  assert.match(
    (await client.command(`STORE 1 ANNOTATION (${many(limits.annotation.perMessage + 1)})`)).tagged,
    /^NO \[ANNOTATE TOOMANY\]/,
  )
  await client.ok(`STORE 1 ANNOTATION (${many(limits.annotation.perMessage).replaceAll('"x"', 'NIL')})`)
  await server.store.mutate('updateAccount', { account: server.account, quotaAnnotationBytes: 2048 })
  await client.ok('STORE 1 ANNOTATION (/comment (value.priv "0123456789"))')
  assert.match((await client.ok('GETQUOTA alice@example.test'))[0] ?? '', /ANNOTATION-STORAGE 1 2/)
  assert.match((await client.command(store(2048))).tagged, /^NO \[OVERQUOTA\]/)
  await client.ok(`STORE 1 ANNOTATION (/comment (value.priv {1200+}\r\n${'x'.repeat(1200)}))`)
  // COPY counts, MOVE does not.
  assert.match((await client.command('COPY 1 Archive')).tagged, /^NO \[OVERQUOTA\]/)
  await client.ok('MOVE 1 Archive')
})

test('COPY and MOVE take shared annotations along, and the private ones of who copies (RFC 5257 §4.6)', async t => {
  const { server, client } = await open(t, 3)
  await client.ok('STORE 2:3 ANNOTATION (/comment (value.priv "mine" value.shared "ours"))')
  const inbox = (await server.store.snapshot(server.account, 1 as never)).mailbox
  // Another's private annotation, as in a shared mailbox.
  const bob = (
    await server.store.reader.get<{ id: number }>("SELECT id FROM account WHERE address = 'bob@example.test'")
  )?.id
  await server.store.mutate('annotateMessages', {
    account: server.account,
    mailbox: inbox,
    uids: [[2, 2]],
    viewer: bob as never,
    annotations: [{ entry: '/comment', isShared: false, value: Buffer.from("bob's") }],
  })
  assert.deepEqual(without(await client.ok('FETCH 2 (ANNOTATION (/comment value.priv))'), 'FLAGS'), [
    '* 2 FETCH (ANNOTATION (/comment (value.priv "mine")))',
  ])
  await client.ok('COPY 1:3 Archive')
  await client.ok('COPY 2 INBOX')
  assert.deepEqual(without(await client.ok('FETCH 4 (ANNOTATION (/comment value))'), 'FLAGS'), [
    '* 4 FETCH (ANNOTATION (/comment (value.priv "mine" value.shared "ours")))',
  ])
  await client.ok('MOVE 2 Sent')
  for (const [name, number] of [
    ['Archive', 2],
    ['Sent', 1],
  ] as const) {
    await client.ok(`SELECT ${name}`)
    assert.deepEqual(await client.ok(`FETCH ${number} (ANNOTATION (/comment value))`), [
      `* ${number} FETCH (ANNOTATION (/comment (value.priv "mine" value.shared "ours")))`,
    ])
  }
  const rows = await server.store.reader.all<{ value: Uint8Array }>(
    'SELECT value FROM message_annotation WHERE owner = ?',
    bob as never,
  )
  assert.deepEqual(rows, [])
})

test('APPEND takes annotations, of several messages, with CATENATE, with literals in them (RFC 5257 §4.7)', async t => {
  const { client } = await open(t, 1)
  const text = message('drafted')
  assert.match(
    (await client.append('Drafts', text, 'ANNOTATION (/comment (value.priv "Don\'t send until I say so")) '))
      .tagged,
    /^OK/,
  )
  const literal = `{${text.length}+}\r\n${text}`
  await client.ok(
    `APPEND Drafts (\\Seen) "17-Jul-1996 02:44:25 -0700" ANNOTATION (/comment (value.shared {5+}\r\nthree value.priv ~{2+}\r\n\0\x01) /1/comment (value.priv "x")) ${literal} ${literal} ANNOTATION (/altsubject (value.priv "last")) CATENATE (TEXT ${literal})`,
  )
  await client.ok('SELECT Drafts')
  assert.deepEqual(await client.ok('FETCH 1:* (ANNOTATION (* value))'), [
    '* 1 FETCH (ANNOTATION (/comment (value.priv "Don\'t send until I say so" value.shared NIL)))',
    '* 2 FETCH (ANNOTATION (/1/comment (value.priv "x" value.shared NIL) /comment (value.priv ~{2}\r\n\0\x01 value.shared "three")))',
    '* 3 FETCH (ANNOTATION ())',
    '* 4 FETCH (ANNOTATION (/altsubject (value.priv "last" value.shared NIL)))',
  ])
  await client.ok(`REPLACE 4 Drafts ANNOTATION (/comment (value.priv "replaced")) ${literal}`)
  assert.deepEqual(without(await client.ok('UID FETCH 5 (ANNOTATION (* value.priv))'), 'EXPUNGE'), [
    '* 4 FETCH (UID 5 ANNOTATION (/comment (value.priv "replaced")))',
  ])
  for (const [before, code] of [
    ['ANNOTATION (/2/comment (value.priv "x")) ', /^BAD/],
    ['ANNOTATION (/comment (value "x")) ', /^BAD/],
    ['ANNOTATION () ', /^BAD/],
    [`ANNOTATION (/comment (value.priv {65537+}\r\n${'x'.repeat(65_537)})) `, /^NO \[ANNOTATE TOOBIG\]/],
  ] as const)
    assert.match((await client.append('Drafts', text, before)).tagged, code, before.slice(0, 50))
})

test('SEARCH ANNOTATION finds texts in the values of entries (RFC 5257 §4.8)', async t => {
  const { server, client } = await open(t, 4)
  await client.ok('STORE 1 ANNOTATION (/comment (value.priv "about IMAP4"))')
  await client.ok('STORE 2 ANNOTATION (/comment (value.shared "imap4rev2"))')
  await client.ok(
    'STORE 3 ANNOTATION (/altsubject (value.priv "Caf\xc3\xa9 IMAP4") /1/comment (value.shared "deep"))',
  )
  const searches: readonly (readonly [string, string])[] = [
    ['ANNOTATION /comment value "IMAP4"', '1 2'],
    ['ANNOTATION * value.priv "IMAP4"', '1 3'],
    ['ANNOTATION /comment value.shared "imap4"', '2'],
    ['ANNOTATION /% value ""', '1 2 3'],
    ['ANNOTATION /*/comment value "deep"', '3'],
    ['ANNOTATION /altsubject value {5+}\r\nCAF\xc3\x89', '3'],
    ['NOT ANNOTATION * value "IMAP4"', '4'],
    ['ANNOTATION * value NIL', '4'],
    ['OR ANNOTATION /comment value "about" SUBJECT 4', '1 4'],
  ]
  for (const [keys, numbers] of searches)
    assert.deepEqual(await client.ok(`SEARCH ${keys}`), [`* SEARCH ${numbers}`], keys)
  // Others' private annotations are not found; a context follows changes.
  await client.ok('UID SEARCH RETURN (UPDATE) ANNOTATION /comment value "later"')
  const other = await server.client()
  await other.ok('SELECT INBOX')
  await other.ok('STORE 4 ANNOTATION (/comment (value.shared "later"))')
  assert.ok((await client.ok('NOOP')).some(line => line.endsWith('ADDTO (0 4)')))
})

test('SORT by the value of an annotation (RFC 5257 §4.9)', async t => {
  const { server, client } = await open(t, 4)
  await client.ok('STORE 1 ANNOTATION (/altsubject (value.shared "cherry"))')
  await client.ok('STORE 2 ANNOTATION (/altsubject (value.shared "Apple" value.priv "z"))')
  await client.ok('STORE 4 ANNOTATION (/altsubject (value.shared "banana" value.priv "a"))')
  assert.deepEqual(await client.ok('SORT (ANNOTATION /altsubject value.shared) UTF-8 ALL'), [
    '* SORT 3 2 4 1',
  ])
  assert.deepEqual(await client.ok('SORT (REVERSE ANNOTATION /altsubject value.shared) UTF-8 ALL'), [
    '* SORT 1 4 2 3',
  ])
  assert.deepEqual(
    await client.ok('SORT (ANNOTATION /altsubject value.priv REVERSE ARRIVAL) ISO-8859-1 2:4'),
    ['* SORT 3 4 2'],
  )
  await client.ok('UID SORT RETURN (UPDATE) (ANNOTATION /altsubject value.shared) UTF-8 UNSEEN')
  const other = await server.client()
  await other.append('INBOX', message('five'), 'ANNOTATION (/altsubject (value.shared "Berry")) ')
  assert.ok((await client.ok('NOOP')).some(line => line.endsWith('ADDTO (4 5)')))
})

test('others hear of changed annotations by name where they asked with SELECT (ANNOTATE) (RFC 5257 §4.4)', async t => {
  const { server, client } = await open(t, 2)
  const [asking, plain] = [await server.client(), await server.client()]
  await asking.ok('SELECT INBOX (ANNOTATE)')
  await plain.ok('SELECT INBOX')
  await client.ok('STORE 1:2 ANNOTATION (/comment (value.priv "x") /altsubject (value.shared "y"))')
  const news = (lines: readonly string[]) => lines.filter(line => line.includes('ANNOTATION'))
  assert.deepEqual(news(await asking.ok('NOOP')), [
    '* 1 FETCH (ANNOTATION (/altsubject /comment))',
    '* 2 FETCH (ANNOTATION (/altsubject /comment))',
  ])
  assert.deepEqual(news(await asking.ok('NOOP')), [])
  assert.deepEqual(news(await plain.ok('NOOP')), [])
  // Its own changes it knows; removed entries are told too.
  await asking.ok('STORE 1 ANNOTATION (/comment (value.priv "z"))')
  assert.deepEqual(news(await asking.ok('NOOP')), [])
  await client.ok('STORE 2 ANNOTATION (/comment (value.priv NIL))')
  asking.send('i IDLE\r\n')
  assert.equal(await asking.line(), '+ idling')
  const heard = await asking.line()
  const next = heard?.includes('FLAGS') ? await asking.line() : heard
  assert.equal(next, '* 2 FETCH (ANNOTATION (/comment))')
  asking.send('DONE\r\n')
  await asking.answer('i')
  // With QRESYNC and UIDONLY they carry UIDs and modSeqs.
  await asking.ok('ENABLE QRESYNC UIDONLY')
  await client.ok('STORE 2 ANNOTATION (/comment (value.priv "again"))')
  assert.match(
    news(await asking.ok('NOOP')).join(),
    /^\* 2 UIDFETCH \(ANNOTATION \(\/comment\) MODSEQ \(\d+\)\)$/,
  )
})

test('annotations change modSeqs, and keep to UNCHANGEDSINCE (RFC 7162 §3.1.3)', async t => {
  const { client } = await open(t, 2)
  await client.ok('ENABLE CONDSTORE')
  const modSeqOf = async (number: number) =>
    Number(/MODSEQ \((\d+)\)/.exec((await client.ok(`FETCH ${number} MODSEQ`)).join())?.[1])
  const before = await modSeqOf(1)
  assert.match(
    (await client.ok('STORE 1 ANNOTATION (/comment (value.priv "x"))')).join(),
    /^\* 1 FETCH \(MODSEQ \(\d+\)\)$/,
  )
  const after = await modSeqOf(1)
  assert.ok(after > before)
  const { tagged, untagged } = await client.command(
    `UID STORE 1:2 (UNCHANGEDSINCE ${after - 1}) ANNOTATION (/comment (value.priv "y"))`,
  )
  assert.match(tagged, /^OK \[MODIFIED 1\]/)
  assert.match(untagged.join(), /^\* 2 FETCH \(UID 2 MODSEQ \(\d+\)\)$/)
  assert.deepEqual(
    (await client.ok(`UID FETCH 1:* (ANNOTATION (/comment value.priv)) (CHANGEDSINCE ${after})`)).map(line =>
      line.replace(/\d+\)\)$/, 'N))'),
    ),
    ['* 2 FETCH (UID 2 ANNOTATION (/comment (value.priv "y")) MODSEQ (N))'],
  )
})

test('NOTIFY tells of AnnotationChange (RFC 5465 §5.1)', async t => {
  const { server, client } = await open(t, 1)
  const watcher = await server.client()
  await watcher.ok('SELECT INBOX')
  await watcher.ok('NOTIFY SET (SELECTED (MessageNew MessageExpunge AnnotationChange))')
  await client.ok('STORE 1 ANNOTATION (/comment (value.priv "x"))')
  assert.equal(await watcher.line(), '* 1 FETCH (UID 1 ANNOTATION (/comment))')
  assert.match((await watcher.command('NOTIFY SET (SELECTED (AnnotationChange))')).tagged, /^BAD/)
  await watcher.ok('ENABLE CONDSTORE')
  await watcher.ok('CLOSE')
  await watcher.ok('NOTIFY SET (PERSONAL (MessageNew MessageExpunge AnnotationChange))')
  await client.ok('STORE 1 ANNOTATION (/comment (value.priv "y"))')
  assert.match((await watcher.line()) ?? '', /^\* STATUS INBOX \((?=.*UIDVALIDITY \d+).*HIGHESTMODSEQ \d+/)
})

test('annotations go with their messages, their mailbox and their account, and leave nothing behind', async t => {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir }, { clock: systemClock, log: silentLog, metrics: silentMetrics })
  t.after(() => store.close())
  const account = await addAccount(store)
  const [inbox, sent] = [await mailboxId(store, account, 'INBOX'), await mailboxId(store, account, 'Sent')]
  const annotations = [
    { entry: '/comment', isShared: true, value: Buffer.from('x') },
    { entry: '/comment', isShared: false, value: Buffer.from('y') },
  ]
  const count = async () =>
    (await store.reader.get<{ total: number }>('SELECT count(*) AS total FROM message_annotation'))?.total
  for (const mailbox of [inbox, sent])
    await store.mutate('appendMessages', {
      account,
      mailbox,
      messages: [
        { ...mail(store), annotations },
        { ...mail(store), annotations },
      ],
    })
  assert.equal(await count(), 8)
  await store.mutate('expungeMessages', { account, mailbox: inbox, uids: [[1, 1]], onlyDeleted: false })
  assert.equal(await count(), 6)
  await store.mutate('renameMailbox', { account, from: 'INBOX', to: 'Old' })
  assert.equal(await count(), 6)
  await store.mutate('deleteMailbox', { account, mailbox: sent })
  assert.equal(await count(), 2)
  assert.deepEqual((await checkStore(dataDir)).findings, [])
  await store.mutate('beginAccountRemoval', { account })
  while (!(await store.mutate('purgeAccount', { account, limit: 10 })).isDone);
  assert.equal(await count(), 0)
})
