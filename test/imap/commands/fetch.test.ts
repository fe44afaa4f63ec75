import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MailboxId } from '../../../src/base/ids.ts'
import { seen } from '../../../src/store/flags.ts'
import type { Store } from '../../../src/store/store.ts'
import { message, startImap } from '../harness.ts'
import { openInbox, valueOf } from '../fetch/mailbox.ts'

test('FETCH needs a selected mailbox, a set and items', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  assert.equal((await imap.command('FETCH 1 FLAGS')).status, 'BAD')
  await imap.append('INBOX', message('one'))
  await imap.ok('SELECT INBOX')
  for (const bad of [
    'FETCH',
    'FETCH 1',
    'FETCH FLAGS',
    'FETCH 0 FLAGS',
    'FETCH 1 (FLAGS',
    'FETCH 1 FLAGS)',
    'FETCH 1 NOPE',
    'FETCH 1:2:3 FLAGS',
    'FETCH 1, FLAGS',
    'FETCH 1 BODY[',
    'FETCH 1 BODY[NOPE]',
    'FETCH 1 BODY[MIME]',
    'FETCH 1 BODY[0]',
    'FETCH 1 BODY[1.]',
    'FETCH 1 BODY[1..2]',
    'FETCH 1 BODY[HEADER.FIELDS]',
    'FETCH 1 BODY[HEADER.FIELDS ()]',
    'FETCH 1 BODY[TEXT.1]',
    'FETCH 1 BODY.PEEK',
    'FETCH 1 BINARY',
    'FETCH 1 BINARY[TEXT]',
    'FETCH 1 BINARY.SIZE[1]<0.1>',
    'FETCH 1 BODY[]<0>',
    'FETCH 1 RFC822[]',
    'FETCH 1 FLAGS (NOPE)',
    'FETCH 1 FLAGS (CHANGEDSINCE)',
    'FETCH 1 FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)',
    'FETCH 4294967296 FLAGS',
    'FETCH 2 FLAGS',
    'FETCH 1:9 FLAGS',
    'FETCH -1 FLAGS',
    'UID FETCH 1 (FLAGS',
    'FETCH $x FLAGS',
  ]) {
    assert.equal((await imap.command(bad)).status, 'BAD', bad)
    // The limit of bad commands in a row is not what is tested here.
    await imap.ok('NOOP')
  }
})

test('UID FETCH answers with UIDs, and ignores those that are not there (RFC 9051 §6.4.9)', async t => {
  const { imap } = await openInbox(t, [message('one'), message('two')])
  assert.deepEqual(await imap.ok('UID FETCH 2,7:9 FLAGS'), ['* 2 FETCH (UID 2 FLAGS (\\Recent))'])
  // 77:* takes in the last (RFC 9051 §9, seq-range).
  assert.deepEqual(await imap.ok('UID FETCH 77 FLAGS'), [])
  assert.deepEqual(await imap.ok('UID FETCH 77:* (UID)'), ['* 2 FETCH (UID 2)'])
  assert.deepEqual(await imap.ok('UID FETCH 1 (FLAGS UID FLAGS)'), ['* 1 FETCH (FLAGS (\\Recent) UID 1)'])
})

test('FETCH in an empty mailbox is BAD by number and OK by UID', async t => {
  const { imap } = await openInbox(t, [])
  assert.equal((await imap.command('FETCH 1 FLAGS')).status, 'BAD')
  assert.equal((await imap.command('FETCH * FLAGS')).status, 'BAD')
  assert.deepEqual(await imap.ok('UID FETCH 1:* FLAGS'), [])
})

test('items that show the text make it \\Seen once, before the answer, and say so (RFC 9051 §6.4.5)', async t => {
  const server = await openInbox(t, [message('one'), message('two'), message('three')])
  const { imap } = server
  const other = await server.client()
  await other.ok('SELECT INBOX')
  const text = '{8}\r\nHello.\r\n)'
  assert.deepEqual(await imap.ok('UID FETCH 1:2 BODY[TEXT]'), [
    `* 1 FETCH (FLAGS (\\Seen \\Recent) UID 1 BODY[TEXT] ${text}`,
    `* 2 FETCH (FLAGS (\\Seen \\Recent) UID 2 BODY[TEXT] ${text}`,
  ])
  // It changed nothing the second time, and is told to the other session only.
  assert.deepEqual(await imap.ok('UID FETCH 1 BODY[TEXT]'), [`* 1 FETCH (UID 1 BODY[TEXT] ${text}`])
  assert.deepEqual(await imap.ok('NOOP'), [])
  assert.deepEqual(await other.ok('NOOP'), ['* 1 FETCH (FLAGS (\\Seen))', '* 2 FETCH (FLAGS (\\Seen))'])
  assert.deepEqual(await imap.ok('FETCH 3 (FLAGS BODY[TEXT]<0.2>)'), [
    '* 3 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT]<0> {2}\r\nHe)',
  ])
})

test('PEEK, the structure and sizes leave \\Seen alone, BINARY[…] sets it', async t => {
  const { imap } = await openInbox(t, [message('one')])
  await imap.ok(
    'FETCH 1 (BODY BODYSTRUCTURE ENVELOPE BODY.PEEK[] BINARY.PEEK[1] BINARY.SIZE[1] RFC822.SIZE RFC822.HEADER)',
  )
  assert.deepEqual(await imap.ok('FETCH 1 FLAGS'), ['* 1 FETCH (FLAGS (\\Recent))'])
  assert.deepEqual(await imap.ok('FETCH 1 BINARY[1]'), [
    '* 1 FETCH (FLAGS (\\Seen \\Recent) BINARY[1] {8}\r\nHello.\r\n)',
  ])
})

test('BODY[TEXT] beside BODY.PEEK[TEXT] is given once and makes the message \\Seen', async t => {
  const { imap } = await openInbox(t, [message('one')])
  assert.deepEqual(await imap.ok('FETCH 1 (BODY.PEEK[TEXT] BODY[TEXT])'), [
    '* 1 FETCH (FLAGS (\\Seen \\Recent) BODY[TEXT] {8}\r\nHello.\r\n)',
  ])
})

test('EXAMINE changes nothing, not even \\Seen (RFC 9051 §6.3.3)', async t => {
  const { imap } = await openInbox(t, [message('one')])
  await imap.ok('EXAMINE INBOX')
  assert.deepEqual(await imap.ok('FETCH 1 BODY[TEXT]'), ['* 1 FETCH (BODY[TEXT] {8}\r\nHello.\r\n)'])
  assert.match(String(await imap.ok('FETCH 1 FLAGS')), /FLAGS \((\\Recent)?\)/)
})

test('a keyword that is new to the client is announced before the response that holds it', async t => {
  const server = await openInbox(t, [message('one')])
  const other = await server.client()
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS ($New)')
  const lines = await server.imap.ok('FETCH 1 FLAGS')
  assert.deepEqual(lines.slice(0, 2), [
    '* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New)',
    '* 1 FETCH (FLAGS (\\Recent $New))',
  ])
})

test('what another session expunged is left out; by number that is NO [EXPUNGEISSUED] (RFC 2180 §4.1.2)', async t => {
  const server = await openInbox(t, [message('one'), message('two'), message('three')])
  const { imap } = server
  const other = await server.client()
  await other.ok('SELECT INBOX')
  await other.ok('STORE 2 +FLAGS.SILENT (\\Deleted)')
  await other.ok('EXPUNGE')
  const byNumber = await imap.command('FETCH 1:3 (UID ENVELOPE)')
  assert.match(byNumber.tagged, /^NO \[EXPUNGEISSUED\]/)
  assert.deepEqual(
    byNumber.untagged.map(line => valueOf(line, 'UID')),
    ['1', '3'],
  )
  const byUid = await imap.command('UID FETCH 1:3 (BODY.PEEK[TEXT])')
  assert.match(byUid.tagged, /^OK \[EXPUNGEISSUED\]/)
  assert.deepEqual(
    byUid.untagged.slice(0, 2).map(line => valueOf(line, 'UID')),
    ['1', '3'],
  )
  assert.deepEqual(byUid.untagged.slice(2), ['* 2 EXPUNGE'])
  assert.equal((await imap.command('FETCH 1:2 UID')).status, 'OK')
})

test('FETCH MODSEQ switches CONDSTORE on (RFC 7162 §3.1)', async t => {
  const { imap } = await openInbox(t, [message('one'), message('two')])
  const [first, ...rest] = await imap.ok('FETCH 1:2 (MODSEQ)')
  assert.match(first ?? '', /^\* OK \[HIGHESTMODSEQ \d+\]/)
  assert.match(rest.join('|'), /^\* 1 FETCH \(MODSEQ \(\d+\)\)\|\* 2 FETCH \(MODSEQ \(\d+\)\)$/)
  assert.match(String(await imap.ok('FETCH 1 FLAGS')), /^\* 1 FETCH \(FLAGS \(\\Recent\) MODSEQ \(\d+\)\)$/)
  assert.match(
    String(await imap.ok('FETCH 1 BODY[TEXT]')),
    /^\* 1 FETCH \(FLAGS \(\\Seen \\Recent\) MODSEQ \(\d+\) BODY/,
  )
})

test('CHANGEDSINCE gives later changes only, with their MODSEQ (RFC 7162 §3.1.4.1)', async t => {
  const { imap } = await openInbox(t, [message('one'), message('two'), message('three')])
  const lines = await imap.ok('FETCH 1:* UID (CHANGEDSINCE 0)')
  assert.match(lines[0] ?? '', /^\* OK \[HIGHESTMODSEQ \d+\]/)
  const last = Math.max(...lines.slice(1).map(line => Number(/MODSEQ \((\d+)\)/.exec(line)?.[1])))
  assert.deepEqual(await imap.ok(`FETCH 1:* (FLAGS) (CHANGEDSINCE ${last})`), [])
  await imap.ok('STORE 2 +FLAGS.SILENT (\\Flagged)')
  assert.match(
    String(await imap.ok(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${last})`)),
    /^\* 2 FETCH \(UID 2 FLAGS \(\\Flagged \\Recent\) MODSEQ \(\d+\)\)$/,
  )
  assert.match(
    String(await imap.ok(`FETCH 1:* UID (changedsince ${last})`)),
    /^\* 2 FETCH \(UID 2 MODSEQ \(\d+\)\)$/,
  )
})

test('UID FETCH with CHANGEDSINCE gives what changed, of the set alone, with numbers that fit (RFC 7162 §3.1.4.1)', async t => {
  const { imap, connect } = await openInbox(
    t,
    Array.from({ length: 40 }, (_, i) => `Subject: ${i}\r\n\r\nx\r\n`),
  )
  await imap.ok('ENABLE CONDSTORE')
  const other = await connect()
  await other.ok('LOGIN alice secret')
  await other.ok('SELECT INBOX')
  await other.ok('STORE 3,9 +FLAGS (\\Deleted)')
  await other.ok('EXPUNGE')
  await imap.ok('NOOP')
  const since = Number(
    /HIGHESTMODSEQ (\d+)/.exec((await imap.ok('STATUS INBOX (HIGHESTMODSEQ)')).join())?.[1],
  )
  await other.ok('UID STORE 2,5,6,20,21,39 +FLAGS (\\Flagged)')
  await other.ok('UID STORE 5 +FLAGS (\\Seen)')
  await imap.ok('NOOP')
  for (const set of ['1:*', '5:20', '1:5,39:*', '22:38', '40:*', '3']) {
    const all = await imap.ok(`UID FETCH ${set} (MODSEQ)`)
    const expected = all.filter(line => Number(/MODSEQ \((\d+)\)/.exec(line)?.[1]) > since)
    assert.deepEqual(await imap.ok(`UID FETCH ${set} (MODSEQ) (CHANGEDSINCE ${since})`), expected, set)
  }
  // An expunge that the client has not heard of yet leaves the numbers as they are.
  await other.ok('UID STORE 4 +FLAGS (\\Deleted)')
  await other.ok('EXPUNGE')
  const lines = await imap.ok(`UID FETCH 20 (MODSEQ) (CHANGEDSINCE ${since})`)
  assert.match(lines[0] ?? '', /^\* 18 FETCH \(UID 20 /)
})

test('VANISHED needs UID FETCH, QRESYNC and CHANGEDSINCE (RFC 7162 §3.2.6)', async t => {
  const { imap } = await openInbox(t, [message('one')])
  assert.equal((await imap.command('UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)')).status, 'BAD')
  await imap.ok('ENABLE QRESYNC')
  assert.equal((await imap.command('UID FETCH 1 FLAGS (VANISHED)')).status, 'BAD')
  assert.equal((await imap.command('FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)')).status, 'BAD')
  assert.equal((await imap.command('UID FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)')).status, 'OK')
})

test('VANISHED (EARLIER) comes first and names the expunged messages of the set (RFC 7162 §3.2.6)', async t => {
  const { imap } = await openInbox(
    t,
    Array.from({ length: 8 }, (_, at) => message(`m${at}`)),
  )
  await imap.ok('ENABLE QRESYNC')
  const [, start = ''] =
    /HIGHESTMODSEQ (\d+)/.exec(String(await imap.ok('STATUS INBOX (HIGHESTMODSEQ)'))) ?? []
  await imap.ok('STORE 2:3,6,8 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  await imap.ok('STORE 1 +FLAGS.SILENT (\\Flagged)')
  const lines = await imap.ok(`UID FETCH 1:7 (FLAGS) (CHANGEDSINCE ${start} VANISHED)`)
  assert.equal(lines[0], '* VANISHED (EARLIER) 2:3,6')
  assert.match(lines[1] ?? '', /^\* 1 FETCH \(UID 1 FLAGS \(\\Flagged \\Recent\) MODSEQ \(\d+\)\)$/)
  assert.equal(lines.length, 2)
  const all = await imap.ok(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${start} VANISHED)`)
  assert.equal(all[0], '* VANISHED (EARLIER) 2:3,6,8')
})

test('FETCH $ is about the saved result, and an empty one is no error (RFC 5182 §2.1)', async t => {
  const { imap } = await openInbox(t, [message('one'), message('two')])
  assert.deepEqual(await imap.ok('FETCH $ UID'), [])
  await imap.ok('SEARCH RETURN (SAVE) SUBJECT two')
  assert.deepEqual(await imap.ok('FETCH $ UID'), ['* 2 FETCH (UID 2)'])
  assert.deepEqual(await imap.ok('UID FETCH $ UID'), ['* 2 FETCH (UID 2)'])
})

test('pipelined FETCHes are answered in order', async t => {
  const { imap } = await openInbox(t, [message('one'), message('two')])
  imap.send(
    Array.from({ length: 200 }, (_, at) => `p${at} FETCH ${1 + (at % 2)} (UID BODY.PEEK[TEXT])\r\n`).join(''),
  )
  for (let at = 0; at < 200; at++) {
    const { untagged, status } = await imap.answer(`p${at}`)
    assert.equal(status, 'OK')
    assert.equal(valueOf(untagged[0] ?? '', 'UID'), String(1 + (at % 2)))
  }
})

test('FETCH gives each message its own content, though others go and are seen while it makes them seen (RFC 9051 §6.4.5)', async t => {
  const subjects = ['one', 'two', 'three', 'four']
  const { imap, store, account } = await openInbox(
    t,
    subjects.map(subject => message(subject)),
  )
  const row = await store.reader.get<{ id: MailboxId }>('SELECT id FROM mailbox WHERE name = ?', 'INBOX')
  const place = { account, mailbox: row?.id as MailboxId }
  const { mutate } = store
  const others = t.mock.method(store, 'mutate', async (...change: Parameters<Store['mutate']>) => {
    others.mock.restore()
    await mutate.call(store, 'storeFlags', {
      ...place,
      uids: [[3, 3]],
      mode: 'add',
      flags: { system: seen, keywords: [] },
    })
    await mutate.call(store, 'expungeMessages', { ...place, uids: [[1, 1]], onlyDeleted: false })
    return mutate.call(store, ...change)
  })
  const { untagged, status } = await imap.command('FETCH 3 (UID BODY[HEADER.FIELDS (SUBJECT)])')
  assert.equal(status, 'OK')
  assert.match(untagged[0] ?? '', /^\* 3 FETCH \(.*UID 3 .*Subject: three\r\n/s)
  assert.deepEqual(await imap.ok('NOOP'), ['* 1 EXPUNGE'])
  // One of those that were asked for goes meanwhile.
  const gone = t.mock.method(store, 'mutate', async (...change: Parameters<Store['mutate']>) => {
    gone.mock.restore()
    await mutate.call(store, 'expungeMessages', { ...place, uids: [[4, 4]], onlyDeleted: false })
    return mutate.call(store, ...change)
  })
  const some = await imap.command('FETCH 1:3 (UID BODY[HEADER.FIELDS (SUBJECT)])')
  assert.match(some.tagged, /^NO \[EXPUNGEISSUED\] /)
  assert.deepEqual(
    some.untagged.flatMap(line => /Subject: (\w+)/.exec(line)?.[1] ?? []),
    ['two', 'three'],
  )
})
