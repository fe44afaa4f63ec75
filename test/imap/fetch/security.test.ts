import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../../src/base/limits.ts'
import { message } from '../harness.ts'
import { openInbox, valueOf } from './mailbox.ts'

test('names such as __proto__ are header fields like any other (CVE-2026-34752)', async t => {
  const { imap } = await openInbox(t, [message('one', 'x\r\n', '__proto__: polluted\r\nconstructor: c\r\n')])
  const [line = ''] = await imap.ok(
    'FETCH 1 (BODY.PEEK[HEADER.FIELDS (__proto__ constructor toString)] BODY.PEEK[HEADER.FIELDS.NOT (hasOwnProperty)])',
  )
  assert.equal(
    valueOf(line, 'BODY[HEADER.FIELDS (__proto__ constructor toString)]'),
    '__proto__: polluted\r\nconstructor: c\r\n\r\n',
  )
  assert.equal(
    valueOf(line, 'BODY[HEADER.FIELDS.NOT (hasOwnProperty)]'),
    message('one', '', '__proto__: polluted\r\nconstructor: c\r\n'),
  )
})

test('field names can carry no line end or NUL into an answer (CVE-2024-21742)', async t => {
  const { imap } = await openInbox(t, [message('one')])
  for (const name of [
    '{4+}\r\na\r\nb',
    '{3+}\r\na\nb',
    '{1+}\r\n)',
    '"a b"',
    '{0+}\r\n',
    '{2+}\r\n\xff\xfe',
  ]) {
    const { status, untagged } = await imap.command(`FETCH 1 (BODY.PEEK[HEADER.FIELDS (${name})] UID)`)
    if (status === 'OK')
      assert.match(untagged[0] ?? '', /^\* 1 FETCH \(BODY\[HEADER\.FIELDS \((.*)\)\] \{2\}\r\n\r\n UID 1\)$/s)
    else assert.equal(status, 'BAD')
  }
  assert.equal((await imap.command('FETCH 1 BODY.PEEK[HEADER.FIELDS (~{3+}\r\na\0b)]')).status, 'BAD')
  assert.equal((await imap.command('FETCH 1 BODY.PEEK[HEADER.FIELDS ("")]')).status, 'BAD')
})

test('huge numbers are refused or mean what they say, quickly', async t => {
  const { imap } = await openInbox(t, [message('one')])
  for (const [command, status] of [
    ['FETCH 1:4294967295 UID', 'BAD'],
    ['UID FETCH 1:4294967295 UID', 'OK'],
    ['UID FETCH 4294967295:1,1:4294967295,2:4294967294 UID', 'OK'],
    ['UID FETCH 4294967296 UID', 'BAD'],
    ['UID FETCH 99999999999999999999999999 UID', 'BAD'],
    ['FETCH 1 BODY.PEEK[]<0.9007199254740991>', 'OK'],
    ['FETCH 1 BODY.PEEK[]<9007199254740991.1>', 'OK'],
    ['FETCH 1 BODY.PEEK[]<9223372036854775808.1>', 'BAD'],
    ['FETCH 1 BODY.PEEK[]<0.18446744073709551616>', 'BAD'],
    ['FETCH 1 BODY.PEEK[4294967295]', 'OK'],
    ['FETCH 1 BODY.PEEK[4294967296]', 'BAD'],
    ['FETCH 1 BODY.PEEK[-1]', 'BAD'],
    [`FETCH 1 BODY.PEEK[${'1.'.repeat(150)}1]`, 'OK'],
    [`FETCH 1 BODY.PEEK[${'1.'.repeat(10_000)}1]`, 'BAD'],
    ['FETCH 1 UID (CHANGEDSINCE 9007199254740991)', 'OK'],
    ['FETCH 1 UID (CHANGEDSINCE 18446744073709551616)', 'BAD'],
    [`UID SEARCH ${'1:4294967295,'.repeat(4000)}1`, 'OK'],
    [`UID FETCH ${Array.from({ length: 6000 }, (_, at) => at * 2 + 1).join(',')} UID`, 'OK'],
  ] as const) {
    const answer = await imap.command(command)
    assert.equal(answer.status, status, `${command.slice(0, 80)}: ${answer.tagged}`)
    await imap.ok('NOOP')
  }
})

test('items are bounded: a thousand are answered, more are refused', async t => {
  const { imap } = await openInbox(t, [message('one')])
  const items = (count: number) =>
    `(${Array.from({ length: count }, (_, at) => `BODY.PEEK[]<${at}.1>`).join(' ')})`
  const { length } = [
    ...String(await imap.ok(`FETCH 1 ${items(limits.imap.fetchItems)}`)).matchAll(/BODY\[\]</g),
  ]
  assert.equal(length, limits.imap.fetchItems)
  assert.match((await imap.command(`FETCH 1 ${items(limits.imap.fetchItems + 1)}`)).tagged, /^BAD \[TOOBIG\]/)
  // One item said over and over is one.
  assert.deepEqual(await imap.ok(`FETCH 1 (${'UID '.repeat(10_000)}UID)`), ['* 1 FETCH (UID 1)'])
  imap.send(`x FETCH 1 (${'FLAGS '.repeat(100_000)})\r\n`)
  assert.match((await imap.line()) ?? '', /^\* BAD \[TOOBIG\]/)
  await imap.ok('NOOP')
})

test("another user's messages are out of reach by number, UID and id", async t => {
  const server = await openInbox(t, [message('of alice')])
  const bob = await server.connect()
  await bob.login('bob@example.test')
  await bob.ok('SELECT INBOX')
  assert.equal((await bob.command('FETCH 1 BODY.PEEK[]')).status, 'BAD')
  assert.deepEqual(await bob.ok('UID FETCH 1:* BODY.PEEK[]'), [])
  assert.deepEqual(await bob.ok('SEARCH EMAILID E1'), ['* SEARCH'])
  assert.deepEqual(await bob.ok('SEARCH TEXT alice'), ['* SEARCH'])
})

test('a client that goes away in a FETCH or a SEARCH disturbs nobody', async t => {
  const large = message('large', 'y'.repeat(3_000_000))
  const server = await openInbox(t, [large, large, large])
  for (const command of [
    'FETCH 1:3 BODY.PEEK[]',
    'SEARCH TEXT nothing',
    'FETCH 1:3 (BINARY[1] BODYSTRUCTURE)',
  ]) {
    const gone = await server.client()
    await gone.ok('SELECT INBOX')
    gone.send(`x ${command}\r\n`)
    gone.end()
  }
  for (let at = 0; at < 20; at++) await server.imap.ok('NOOP')
  assert.equal((await server.imap.ok('FETCH 1:3 UID')).length, 3)
})
