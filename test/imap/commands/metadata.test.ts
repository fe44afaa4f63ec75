import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapConfig } from '../../../src/imap/config.ts'
import { message, startImap } from '../harness.ts'

test('SETMETADATA and GETMETADATA of a mailbox (RFC 5464 §4.2, §4.3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('SETMETADATA INBOX (/private/comment "My own comment" /shared/comment "Shared comment")')
  assert.deepEqual(await client.ok('GETMETADATA "INBOX" /private/comment'), [
    '* METADATA INBOX (/private/comment "My own comment")',
  ])
  const both = ['* METADATA INBOX (/shared/comment "Shared comment" /private/comment "My own comment")']
  assert.deepEqual(await client.ok('GETMETADATA inbox (/shared/comment /private/comment)'), both)
  // §4.4.1 shows entries without parentheses.
  assert.deepEqual(await client.ok('GETMETADATA INBOX /shared/comment /PRIVATE/Comment'), both)
  assert.deepEqual(
    await client.ok('SETMETADATA INBOX (/private/comment {33+}\r\nMy new comment across\r\ntwo lines.)'),
    [],
  )
  assert.deepEqual(await client.ok('GETMETADATA INBOX /private/comment'), [
    '* METADATA INBOX (/private/comment {33}\r\nMy new comment across\r\ntwo lines.)',
  ])
  await client.ok('SETMETADATA INBOX (/private/comment NIL)')
  assert.deepEqual(await client.ok('GETMETADATA INBOX /private/comment'), [
    '* METADATA INBOX (/private/comment NIL)',
  ])
  await client.ok('SETMETADATA INBOX (/private/vendor/x/y ~{3+}\r\n\0\x01\x02 /private/empty "")')
  assert.deepEqual(await client.ok('GETMETADATA INBOX (/private/vendor/x/y /private/empty)'), [
    '* METADATA INBOX (/private/vendor/x/y ~{3}\r\n\0\x01\x02 /private/empty "")',
  ])
})

test('GETMETADATA with MAXSIZE and DEPTH, before the mailbox and after (RFC 5464 §4.2.1, §4.2.2)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const long = 'x'.repeat(2199)
  await client.ok(`SETMETADATA INBOX (/private/comment "My own comment" /shared/comment "${long}")`)
  for (const command of [
    'GETMETADATA INBOX (MAXSIZE 1024) (/shared/comment /private/comment)',
    'GETMETADATA (MAXSIZE 1024) INBOX (/shared/comment /private/comment)',
  ]) {
    const { untagged, tagged } = await client.command(command)
    assert.deepEqual(untagged, ['* METADATA INBOX (/private/comment "My own comment")'])
    assert.match(tagged, /^OK \[METADATA LONGENTRIES 2199\]/)
  }
  assert.doesNotMatch(
    (await client.command('GETMETADATA INBOX (MAXSIZE 2199) /shared/comment')).tagged,
    /LONGENTRIES/,
  )
  await client.ok(
    'SETMETADATA INBOX (/private/filters/values/small "SMALLER 5000" /private/filters/values/boss "FROM \\"boss@example.com\\"" /private/filters/values/boss/deep "d")',
  )
  assert.deepEqual(await client.ok('GETMETADATA "INBOX" (DEPTH 1) (/private/filters/values)'), [
    '* METADATA INBOX (/private/filters/values/boss "FROM \\"boss@example.com\\"" /private/filters/values/small "SMALLER 5000")',
  ])
  assert.match(
    (await client.ok('GETMETADATA (DEPTH infinity) INBOX /private/filters'))[0] ?? '',
    /\/boss\/deep "d"/,
  )
  assert.deepEqual(await client.ok('GETMETADATA (DEPTH 1 MAXSIZE 3) INBOX /private/filters'), [])
})

test("the server's annotations: private ones are the account's, shared ones the administrator's (RFC 5464 §3.3)", async t => {
  const server = await startImap(t, {
    config: { imap: imapConfig.parse({ adminContact: 'mailto:admin@example.test' }) },
  })
  const client = await server.client()
  const bob = await server.connect()
  await bob.login('bob@example.test')
  await client.ok('SETMETADATA "" (/private/vendor/x/color "red")')
  assert.deepEqual(await client.ok('GETMETADATA "" /private/vendor/x/color'), [
    '* METADATA "" (/private/vendor/x/color "red")',
  ])
  assert.deepEqual(await bob.ok('GETMETADATA "" /private/vendor/x/color'), [
    '* METADATA "" (/private/vendor/x/color NIL)',
  ])
  assert.match((await bob.command('SETMETADATA "" (/shared/comment "x")')).tagged, /^NO \[NOPERM\]/)
  await server.store.mutate('updateAccount', { account: server.account, isAdmin: true })
  const admin = await server.client()
  await admin.ok('SETMETADATA "" (/shared/comment "My comment")')
  assert.match(
    (await admin.command('SETMETADATA "" (/shared/admin "mailto:x@example.test")')).tagged,
    /^NO \[CANNOT\]/,
  )
  assert.match(
    (await admin.command('SETMETADATA "" (/shared/comment "x" /private/comment "y")')).tagged,
    /^NO \[CANNOT\]/,
  )
  assert.deepEqual(await bob.ok('GETMETADATA "" (/shared/comment /shared/admin)'), [
    '* METADATA "" (/shared/comment "My comment" /shared/admin "mailto:admin@example.test")',
  ])
})

test('limits: the size of a value, the count of entries, the room of the account; nothing is changed by what fails (RFC 5464 §4.3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const bound = 64 * 1024
  const set = (entry: string, size: number) =>
    client.command(`SETMETADATA INBOX (/private/first "1" ${entry} {${size}+}\r\n${'x'.repeat(size)})`)
  assert.match(
    (await set('/private/big', bound + 1)).tagged,
    new RegExp(`^NO \\[METADATA MAXSIZE ${bound}\\]`),
  )
  assert.deepEqual(await client.ok('GETMETADATA INBOX /private/first'), [
    '* METADATA INBOX (/private/first NIL)',
  ])
  assert.match((await set('/private/big', bound)).tagged, /^OK/)
  for (let batch = 0; batch < 10; batch++) {
    const entries = Array.from({ length: 100 }, (_, index) => `/private/n/${batch * 100 + index} "x"`)
    const { tagged } = await client.command(`SETMETADATA Drafts (${entries.join(' ')})`)
    assert.match(tagged, /^OK/)
  }
  assert.match(
    (await client.command('SETMETADATA Drafts (/private/n/1 "y" /private/one-more "x")')).tagged,
    /^NO \[METADATA TOOMANY\]/,
  )
  assert.deepEqual(await client.ok('GETMETADATA Drafts /private/n/1'), [
    '* METADATA Drafts (/private/n/1 "x")',
  ])
  await client.ok('SETMETADATA Drafts (/private/n/1 NIL /private/one-more "x")')
  await server.store.mutate('updateAccount', { account: server.account, quotaAnnotationBytes: 80 * 1024 })
  assert.match(
    (await client.command(`SETMETADATA Sent (/private/c "${'x'.repeat(900)}")`)).tagged,
    /^(?:OK|NO \[OVERQUOTA\])/,
  )
  assert.match((await set('/private/again', 20_000)).tagged, /^NO \[OVERQUOTA\]/)
  assert.match((await client.ok('GETQUOTA alice@example.test'))[0] ?? '', /ANNOTATION-STORAGE \d+ 80\)/)
})

test('annotations follow RENAME, are copied from INBOX, and go with DELETE (RFC 5464 §4.1)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('CREATE a')
  await client.ok('SETMETADATA a (/private/comment "of a")')
  await client.ok('RENAME a b')
  assert.deepEqual(await client.ok('GETMETADATA b /private/comment'), [
    '* METADATA b (/private/comment "of a")',
  ])
  await client.ok('DELETE b')
  await client.ok('CREATE b')
  assert.deepEqual(await client.ok('GETMETADATA b /private/comment'), ['* METADATA b (/private/comment NIL)'])
  await client.ok('SETMETADATA INBOX (/private/comment "of INBOX")')
  await client.append('INBOX', message('one'))
  await client.ok('RENAME INBOX old')
  for (const name of ['INBOX', 'old'])
    assert.deepEqual(await client.ok(`GETMETADATA ${name} /private/comment`), [
      `* METADATA ${name} (/private/comment "of INBOX")`,
    ])
})

test('LIST RETURN (METADATA …) shows annotations with the names (RFC 9590)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('SETMETADATA INBOX (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c")')
  assert.deepEqual(
    await client.ok(
      'LIST "" (INBOX Sent) RETURN (METADATA (/shared/vendor/cmu/cyrus-imapd/color) STATUS (MESSAGES))',
    ),
    [
      '* LIST (\\HasNoChildren) "/" INBOX',
      '* STATUS INBOX (MESSAGES 0)',
      '* METADATA INBOX (/shared/vendor/cmu/cyrus-imapd/color "#b71c1c")',
      '* LIST (\\HasNoChildren \\Sent) "/" Sent',
      '* STATUS Sent (MESSAGES 0)',
      '* METADATA Sent (/shared/vendor/cmu/cyrus-imapd/color NIL)',
    ],
  )
  for (const wrong of [
    'LIST "" % RETURN (METADATA)',
    'LIST "" % RETURN (METADATA ())',
    'LIST "" % RETURN (METADATA (/nothing))',
  ])
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
})

test("ENABLE METADATA: others' changes are told, by entry only; one's own are not (RFC 5464 §4.4.2)", async t => {
  const server = await startImap(t)
  const watcher = await server.client()
  const silent = await server.client()
  const other = await server.client()
  assert.deepEqual(await watcher.ok('ENABLE METADATA METADATA-SERVER'), [
    '* ENABLED METADATA METADATA-SERVER',
  ])
  await other.ok('SETMETADATA INBOX (/shared/comment "x" /private/comment "y")')
  await other.ok('SETMETADATA "" (/private/vendor/a/b "z")')
  assert.deepEqual(await watcher.ok('NOOP'), [
    '* METADATA "" /private/vendor/a/b',
    '* METADATA INBOX /private/comment /shared/comment',
  ])
  assert.deepEqual(await silent.ok('NOOP'), [])
  assert.deepEqual(await watcher.ok('SETMETADATA INBOX (/private/comment NIL)'), [])
  await other.ok('SETMETADATA INBOX (/shared/comment NIL)')
  assert.deepEqual(await watcher.ok('NOOP'), ['* METADATA INBOX /shared/comment'])
  watcher.send('i IDLE\r\n')
  assert.equal(await watcher.line(), '+ idling')
  await other.ok('SETMETADATA Sent (/private/comment "idle")')
  assert.equal(await watcher.line(), '* METADATA Sent /private/comment')
  watcher.send('DONE\r\n')
  assert.equal((await watcher.answer('i')).status, 'OK')
})

test('METADATA with bad syntax, bad names, or no mailbox is refused', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const wrong of [
    'GETMETADATA',
    'GETMETADATA INBOX',
    'GETMETADATA INBOX ()',
    'GETMETADATA INBOX /comment',
    'GETMETADATA INBOX /private//x',
    'GETMETADATA INBOX /private/x/',
    'GETMETADATA INBOX "/private/*"',
    'GETMETADATA INBOX "/private/%"',
    'GETMETADATA (DEPTH 2) INBOX /private/x',
    'GETMETADATA (SIZE 2) INBOX /private/x',
    `GETMETADATA INBOX /private/${'x'.repeat(600)}`,
    'SETMETADATA INBOX',
    'SETMETADATA INBOX ()',
    'SETMETADATA INBOX (/private/x)',
    'SETMETADATA INBOX (/private "x")',
    'SETMETADATA INBOX (/private/vendor/x "x")',
    'SETMETADATA INBOX (/private/x atom)',
    'SETMETADATA INBOX (/private/\xfc "x")',
    'SETMETADATA INBOX (/private/x {1+}\r\n\0)',
  ]) {
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
    await client.ok('NOOP')
  }
  assert.match((await client.command('GETMETADATA Nowhere /private/x')).tagged, /^NO \[NONEXISTENT\]/)
  assert.match((await client.command('SETMETADATA Nowhere (/private/x "x")')).tagged, /^NO \[NONEXISTENT\]/)
  assert.equal((await (await server.connect()).command('GETMETADATA INBOX /private/x')).status, 'BAD')
})
