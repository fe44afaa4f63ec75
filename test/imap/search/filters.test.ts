import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { serverAccount } from '../../../src/imap/metadata.ts'
import type { ImapClient } from '../client.ts'
import { message, startImap, type TestServer } from '../harness.ts'

async function open(t: TestContext): Promise<{ server: TestServer; client: ImapClient }> {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.append(
    'INBOX',
    message('two', 'x'.repeat(6000)).replace('alice@example.test>', 'boss@example.com>'),
  )
  await client.append('INBOX', message('three', 'y'.repeat(6000)))
  await client.ok('SELECT INBOX')
  return { server, client }
}

const set = (name: string, value: string) =>
  `SETMETADATA "" (/private/filters/values/${name} {${Buffer.byteLength(value)}+}\r\n${value})`

test('FILTER stands for a search that was stored under a name (RFC 5466 §3.1, §3.2)', async t => {
  const { client } = await open(t)
  assert.ok((await client.ok('CAPABILITY'))[0]?.split(' ').includes('FILTERS'))
  await client.ok(
    'SETMETADATA "" ("/private/filters/values/on-the-road" "OR SMALLER 5000 FROM \\"boss@example.com\\"")',
  )
  assert.deepEqual(await client.ok('SEARCH UID 1:900 FILTER on-the-road SINCE "3-Dec-2002"'), [
    '* SEARCH 1 2',
  ])
  assert.deepEqual(await client.ok('SEARCH filter ON-THE-ROAD'), ['* SEARCH 1 2'])
  // Each filter stands for all of its keys together.
  await client.ok(set('two-keys', 'LARGER 5000 SUBJECT two'))
  assert.deepEqual(await client.ok('SEARCH NOT FILTER two-keys'), ['* SEARCH 1 3'])
  assert.deepEqual(await client.ok('SEARCH OR FILTER two-keys SUBJECT three'), ['* SEARCH 2 3'])
  // Renamed: made under the new name, then removed under the old one.
  await client.ok('SETMETADATA "" (/private/filters/values/on-the-road NIL)')
  const { tagged } = await client.command('SEARCH FILTER on-the-road')
  assert.equal(tagged, 'NO [UNDEFINED-FILTER on-the-road] There is no such filter')
})

test('the private filter comes before the shared one, and others have the shared one only (RFC 5466 §3.1)', async t => {
  const { server, client } = await open(t)
  const entry = '/shared/filters/values/mine'
  await server.store.mutate('setAnnotations', {
    account: serverAccount,
    entries: [{ entry, value: Buffer.from('SUBJECT three') }],
  })
  assert.deepEqual(await client.ok('SEARCH FILTER mine'), ['* SEARCH 3'])
  await client.ok(set('mine', 'SUBJECT one'))
  assert.deepEqual(await client.ok('SEARCH FILTER mine'), ['* SEARCH 1'])
  const bob = await server.connect()
  await bob.login('bob@example.test')
  await bob.append('INBOX', message('three'))
  await bob.append('INBOX', message('one'))
  await bob.ok('SELECT INBOX')
  assert.deepEqual(await bob.ok('SEARCH FILTER mine'), ['* SEARCH 1'])
  // Only administrators set what all share.
  assert.match((await bob.command(`SETMETADATA "" (${entry} NIL)`)).tagged, /^NO \[NOPERM\]/)
})

test('a value that is no whole search is refused when it is stored, and when it is used (RFC 5466 §3.1, §3.2)', async t => {
  const { server, client } = await open(t)
  for (const value of [
    'OR SMALLER',
    'SMALLER 5000 ',
    '',
    'NONSENSE',
    '(SEEN',
    'SUBJECT "\xff"',
    'SUBJECT {5}',
  ]) {
    const { tagged } = await client.command(
      `SETMETADATA "" (/private/filters/values/half {${value.length}+}\r\n${value})`,
    )
    // A trailing space is nothing to refuse.
    if (value.endsWith(' ')) assert.match(tagged, /^OK /)
    else assert.equal(tagged, 'NO [CANNOT] The filter half is no whole search', value)
  }
  for (const name of ['a/b', 'a"b', 'a(b', 'a b', ''])
    assert.match(
      (await client.command(`SETMETADATA "" ("/private/filters/values/${name.replace('"', '\\"')}" "SEEN")`))
        .tagged,
      /^(?:NO \[CANNOT\]|BAD)/,
      name,
    )
  // What came in by another door is looked at again.
  await server.store.mutate('setAnnotations', {
    account: server.account,
    entries: [{ entry: '/private/filters/values/half', value: Buffer.from('OR SMALLER') }],
  })
  assert.equal(
    (await client.command('SEARCH FILTER half')).tagged,
    'NO [CANNOT] The filter half is no whole search',
  )
  // Descriptions and the entries of mailboxes may hold anything.
  await client.ok('SETMETADATA "" (/private/filters/descriptions/half "OR")')
  await client.ok('SETMETADATA INBOX (/private/filters/values/half "OR")')
})

test('a filter holds literals and UTF-8, whatever charset the search could have (RFC 5466 §3.1)', async t => {
  const { client } = await open(t)
  await client.append('INBOX', message('=?utf-8?q?caf=C3=A9?='))
  await client.ok(set('literal', 'SUBJECT {3}\r\ntwo LARGER 1'))
  assert.deepEqual(await client.ok('SEARCH FILTER literal'), ['* SEARCH 2'])
  const bytes = Buffer.from('SUBJECT "CAFÉ"').toString('latin1')
  await client.ok(`SETMETADATA "" (/private/filters/values/cafe {${bytes.length}+}\r\n${bytes})`)
  for (const charset of ['', 'CHARSET UTF-8 ', 'CHARSET us-ascii '])
    assert.deepEqual(await client.ok(`SEARCH ${charset}FILTER cafe`), ['* SEARCH 4'])
  for (const charset of ['ISO-8859-1', 'X-NOBODY'])
    assert.match((await client.command(`SEARCH CHARSET ${charset} FILTER cafe`)).tagged, /^BAD \[BADCHARSET /)
})

test('filters name filters, up to 8 deep; loops end as filters that are not there (RFC 5466 §3.1)', async t => {
  const { client } = await open(t)
  await client.ok(set('f1', 'SUBJECT two'))
  for (let depth = 2; depth <= 9; depth++) await client.ok(set(`f${depth}`, `FILTER f${depth - 1}`))
  assert.deepEqual(await client.ok('SEARCH FILTER f8'), ['* SEARCH 2'])
  assert.match((await client.command('SEARCH FILTER f9')).tagged, /^NO \[UNDEFINED-FILTER f1\]/)
  await client.ok(set('f1', 'OR SEEN FILTER F3'))
  assert.match((await client.command('SEARCH FILTER f1')).tagged, /^NO \[UNDEFINED-FILTER f1\]/)
  await client.ok(set('self', 'FILTER self'))
  assert.match((await client.command('SEARCH NOT FILTER self')).tagged, /^NO \[UNDEFINED-FILTER self\]/)
})

test('filters that multiply end at the number of keys that one search may have', async t => {
  const { client } = await open(t)
  await client.ok(set('g1', 'SEEN '.repeat(100).trim()))
  for (let depth = 2; depth <= 4; depth++)
    await client.ok(set(`g${depth}`, `FILTER g${depth - 1} `.repeat(8).trim()))
  assert.match((await client.command('SEARCH FILTER g4')).tagged, /^BAD \[TOOBIG\]/)
  assert.deepEqual(await client.ok('SEARCH NOT FILTER g2'), ['* SEARCH 1 2 3'])
})

test('SORT, THREAD, ESEARCH IN, ESEARCH, PARTIAL and SEARCHRES take filters', async t => {
  const { client } = await open(t)
  await client.ok(set('big', 'LARGER 5000'))
  assert.deepEqual(await client.ok('SORT (SUBJECT) UTF-8 FILTER big'), ['* SORT 3 2'])
  assert.deepEqual(await client.ok('UID THREAD REFS UTF-8 FILTER big'), ['* THREAD (2)(3)'])
  assert.match(
    (await client.ok('UID SEARCH RETURN (SAVE PARTIAL 1:1) FILTER big'))[0] ?? '',
    /UID PARTIAL \(1:1 2\)$/,
  )
  assert.match((await client.ok('UID SEARCH RETURN (COUNT) $'))[0] ?? '', / UID COUNT 1$/)
  assert.match((await client.ok('ESEARCH IN (mailboxes INBOX) FILTER big'))[0] ?? '', /UID ALL 2:3$/)
  // RFC 5182 §2.1: a search that fails saves nothing.
  assert.match(
    (await client.command('SEARCH RETURN (SAVE) FILTER nothing')).tagged,
    /^NO \[UNDEFINED-FILTER nothing\]/,
  )
})

test('a context keeps to the filter as it was when the search was given (RFC 5267 §4.3)', async t => {
  const { server, client } = await open(t)
  await client.ok(set('big', 'LARGER 5000'))
  await client.ok('UID SEARCH RETURN (UPDATE) FILTER big')
  await client.ok(set('big', 'SMALLER 5000'))
  const other = await server.client()
  await other.append('INBOX', message('four', 'z'.repeat(6000)))
  await other.append('INBOX', message('five'))
  const lines = await client.ok('NOOP')
  assert.ok(
    lines.some(line => line.endsWith('UID ADDTO (0 4)')),
    lines.join('\n'),
  )
})

test('message numbers and MODSEQ inside a filter count as if they stood in the search', async t => {
  const { server, client } = await open(t)
  await client.ok(set('numbers', '2:3'))
  await client.ok(set('changed', 'MODSEQ 1'))
  assert.match((await client.ok('UID SEARCH FILTER changed'))[1] ?? '', /^\* SEARCH 1 2 3 \(MODSEQ \d+\)$/)
  // RFC 7162 §3.2.10.2: EXPUNGE waits for a search with message numbers.
  const other = await server.client()
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS (\\Deleted)')
  await other.ok('EXPUNGE')
  const held = await client.ok('UID SEARCH FILTER numbers')
  assert.ok(!held.some(line => line.endsWith('EXPUNGE')), held.join('\n'))
  assert.ok((await client.ok('UID SEARCH FILTER changed')).includes('* 1 EXPUNGE'))
  await client.ok('ENABLE UIDONLY')
  assert.match((await client.command('UID SEARCH FILTER numbers')).tagged, /^BAD \[UIDREQUIRED\]/)
  assert.match((await client.command('UID SEARCH FILTER changed')).tagged, /^OK/)
})

test('FILTER takes one name, and filters are asked for after log-in only', async t => {
  const { server, client } = await open(t)
  for (const text of [
    'SEARCH FILTER',
    'SEARCH FILTER ',
    'SEARCH FILTER "x"',
    'SEARCH FILTER a/b',
    'SEARCH FILTER (x)',
  ])
    assert.match((await client.command(text)).tagged, /^BAD/, text)
  const stranger = await server.connect()
  assert.match((await stranger.command('SEARCH FILTER x')).tagged, /^BAD/)
  await stranger.login()
  assert.match((await stranger.command('SEARCH FILTER x')).tagged, /^BAD select/)
})
