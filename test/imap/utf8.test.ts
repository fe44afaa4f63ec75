import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapConfig } from '../../src/imap/config.ts'
import { message, startImap } from './harness.ts'

/** UTF-8 bytes as the Latin-1 that the test client speaks. */
function bytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}

const utf8Message = bytes(message('Grüße', 'Hello.\r\n'))

test('ENABLE UTF8=ACCEPT: names of mailboxes are quoted UTF-8 in LIST, LSUB, STATUS and SELECT (RFC 6855 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.match((await client.ok('CAPABILITY'))[0] ?? '', / UTF8=ACCEPT( |$)/)
  await client.ok('CREATE "&ANw-bung"')
  await client.ok('SUBSCRIBE "&ANw-bung"')
  assert.deepEqual(await client.ok('LIST "" "&ANw-*"'), ['* LIST (\\HasNoChildren) "/" &ANw-bung'])
  assert.deepEqual(await client.ok('ENABLE UTF8=ACCEPT'), ['* ENABLED UTF8=ACCEPT'])
  const name = bytes('"Übung"')
  assert.deepEqual(await client.ok(`LIST "" ${bytes('"Ü*"')}`), [`* LIST (\\HasNoChildren) "/" ${name}`])
  assert.deepEqual(await client.ok(`LSUB "" ${bytes('"Ü*"')}`), [`* LSUB (\\HasNoChildren) "/" ${name}`])
  assert.deepEqual(await client.ok(`STATUS ${name} (MESSAGES)`), [`* STATUS ${name} (MESSAGES 0)`])
  assert.equal((await client.command(`SELECT ${name}`)).status, 'OK')
  // '&' means itself now.
  await client.ok('CREATE "R&D"')
  assert.deepEqual(await client.ok('LIST "" "R*"'), ['* LIST (\\HasNoChildren) "/" R&D'])
  const old = await server.client()
  assert.deepEqual(await old.ok('LIST "" "R*"'), ['* LIST (\\HasNoChildren) "/" R&-D'])
})

test('octets in a quoted string that are no UTF-8 are BAD (RFC 6855 §3)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('ENABLE UTF8=ACCEPT')
  assert.equal((await client.command('CREATE "\xff\xfe"')).status, 'BAD')
  assert.equal((await client.command('CREATE "\xc0\xaf"')).status, 'BAD')
  assert.equal((await client.command('SEARCH')).status, 'BAD')
  await client.ok('SELECT INBOX')
  assert.equal((await client.command('SEARCH CHARSET UTF-8 SUBJECT "x"')).status, 'BAD')
  assert.equal((await client.command(`SEARCH SUBJECT "${bytes('ü')}"`)).status, 'OK')
})

test('APPEND UTF8 (~{…}) takes header fields in UTF-8 once it is enabled (RFC 6855 §4)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const append = `APPEND INBOX (\\Seen) UTF8 (~{${utf8Message.length}+}\r\n${utf8Message})`
  assert.match((await client.command(append)).tagged, /^NO \[CANNOT\]/)
  await client.ok('ENABLE UTF8=ACCEPT')
  assert.match((await client.command(append)).tagged, /^OK \[APPENDUID/)
  const part = `APPEND INBOX CATENATE (UTF8 (~{${utf8Message.length}+}\r\n${utf8Message}) TEXT {3+}\r\nabc)`
  assert.match((await client.command(part)).tagged, /^OK/)
  await client.ok('SELECT INBOX')
  assert.ok((await client.ok('FETCH 1 BODY.PEEK[]'))[0]?.includes(utf8Message))
  assert.match((await client.ok('FETCH 1 ENVELOPE'))[0] ?? '', new RegExp(bytes('Grüße')))
  assert.deepEqual(await client.ok(`SEARCH SUBJECT "${bytes('GRÜSSE')}"`), ['* SEARCH'])
  assert.deepEqual(await client.ok(`SEARCH SUBJECT "${bytes('grüße')}"`), ['* SEARCH 1 2'])
})

test('with strictUtf8 8-bit header fields need UTF8=ACCEPT in every APPEND; without, old mail can be copied (RFC 6855 §4)', async t => {
  const strict = await startImap(t, { config: { imap: imapConfig.parse({ strictUtf8: true }) } })
  const client = await strict.client()
  assert.match((await client.append('INBOX', utf8Message)).tagged, /^NO \[CANNOT\]/)
  assert.equal((await client.append('INBOX', message('plain', bytes('Grüße\r\n')))).status, 'OK')
  await client.ok('ENABLE UTF8=ACCEPT')
  assert.equal((await client.append('INBOX', utf8Message)).status, 'OK')
  const lenient = await startImap(t)
  assert.equal((await (await lenient.client()).append('INBOX', utf8Message)).status, 'OK')
})

test('UTF8 without a literal8, without its parentheses or without data is BAD', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const wrong of [
    'UTF8',
    'UTF8 ()',
    'UTF8 ({1+}\r\nx)',
    'UTF8 ~{1+}\r\nx',
    'UTF8 (~{1+}\r\nx',
    'UTF8 (~{1+}\r\nx ~{1+}\r\nx)',
  ])
    assert.equal((await client.command(`APPEND INBOX ${wrong}`)).status, 'BAD', wrong)
})
