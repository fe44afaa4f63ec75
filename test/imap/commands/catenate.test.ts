import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapConfig } from '../../../src/imap/config.ts'
import { message, startImap } from '../harness.ts'

const boundary = '--------------030308070208000400050907'
const draft = [
  'Subject: holiday',
  `Content-Type: multipart/mixed; boundary="${boundary.slice(2)}"`,
  '',
  boundary,
  'Content-Type: text/plain; x=1',
  '',
  'The text.',
  boundary,
  'Content-Type: application/x-zip-compressed',
  '',
  'UEsDBAo=',
  `${boundary}--`,
  '',
].join('\r\n')

/** The whole of message `uid`. */
function bodyOf(line: string | undefined): string {
  return (line ?? '').split('\r\n').slice(1).join('\r\n').slice(0, -1)
}

test('CATENATE replaces an attachment without sending the rest again (RFC 4469 appendix A, example 1)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('Drafts', draft)
  await client.append('Drafts', 'Content-Type: image/png\r\n\r\niVBORw0K')
  const [status] = await client.ok('STATUS Drafts (UIDVALIDITY)')
  const validity = /UIDVALIDITY (\d+)/.exec(status ?? '')?.[1]
  const base = `/Drafts;UIDVALIDITY=${validity}/;UID=1/;section=`
  const separator = `\r\n${boundary}\r\n`
  // Synchronizing literals, as in the example.
  client.send(
    `A003 APPEND Drafts (\\Seen \\Draft $MDNSent) CATENATE (URL "${base}HEADER" TEXT {${separator.length}}\r\n`,
  )
  assert.match((await client.line()) ?? '', /^\+ /)
  client.send(`${separator} URL "${base}1.MIME" URL "${base}1" TEXT {${separator.length}}\r\n`)
  assert.match((await client.line()) ?? '', /^\+ /)
  const end = `\r\n${boundary}--\r\n`
  client.send(`${separator} URL "/Drafts;UIDVALIDITY=${validity}/;UID=2" TEXT {${end.length}}\r\n`)
  assert.match((await client.line()) ?? '', /^\+ /)
  client.send(`${end})\r\n`)
  const { tagged } = await client.answer('A003')
  assert.match(tagged, /^OK \[APPENDUID \d+ 3\]/)
  await client.ok('EXAMINE Drafts')
  const [row] = await client.ok('FETCH 3 BODY[]')
  assert.equal(
    bodyOf(row),
    `Subject: holiday\r\nContent-Type: multipart/mixed; boundary="${boundary.slice(2)}"\r\n\r\n${separator}` +
      `Content-Type: text/plain; x=1\r\n\r\nThe text.${separator}Content-Type: image/png\r\n\r\niVBORw0K${end}`,
  )
  assert.match((await client.ok('FETCH 3 FLAGS'))[0] ?? '', /\\Seen .*\$MDNSent/)
  // RFC 4469 §3: what was copied from is not \Seen by that.
  assert.match((await client.ok('FETCH 1 FLAGS'))[0] ?? '', /FLAGS \((?:\\Recent)?\)/)
})

test('CATENATE resolves URLs against the selected mailbox, percent-encoded names, and PARTIAL (RFC 4469 §3; RFC 5550)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('CREATE "a b/&ANw-ber"')
  await client.append('"a b/&ANw-ber"', message('one', '0123456789'))
  await client.ok('SELECT "a b/&ANw-ber"')
  await client.ok(
    'APPEND INBOX CATENATE (TEXT {2+}\r\n\r\n URL ";UID=1/;SECTION=TEXT/;PARTIAL=2.3" URL "/a%20b/%C3%9Cber/;uid=1/;section=text/;partial=8" URL "%C3%9Cber/;UID=1/;SECTION=TEXT/;PARTIAL=0.1")',
  )
  await client.ok('SELECT INBOX')
  assert.equal(bodyOf((await client.ok('FETCH 1 BODY[]'))[0]), '\r\n234890')
  await client.ok('APPEND INBOX CATENATE (URL "/a%20b/%C3%9Cber/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)")')
  assert.equal(bodyOf((await client.ok('FETCH 2 BODY[]'))[0]), 'Subject: one\r\n\r\n')
})

test('CATENATE with MULTIAPPEND is all or nothing, and a URL may come as a literal', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  const url = '/INBOX/;UID=1'
  const { tagged } = await client.command(
    `APPEND INBOX (\\Seen) CATENATE (URL {${url.length}+}\r\n${url}) {5+}\r\nhello CATENATE (TEXT {3+}\r\nabc)`,
  )
  assert.match(tagged, /^OK \[APPENDUID \d+ 2:4\]/)
  const refused = await client.command('APPEND INBOX {5+}\r\nhello CATENATE (URL "/INBOX/;UID=99")')
  assert.match(refused.tagged, /^NO \[BADURL/)
  assert.deepEqual(await client.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 4)'])
})

test('CATENATE names the first URL that leads to nothing (RFC 4469 §4.1, appendix A example 4)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  for (const url of [
    '/INBOX;UIDVALIDITY=785799047/;UID=1;section=1.5.9',
    '/INBOX;UIDVALIDITY=4294967295/;UID=1',
    '/INBOX/;UID=1/;section=1.5.9',
    '/INBOX/;UID=1/;section=BOGUS',
    '/INBOX/;UID=2',
    '/Nowhere/;UID=1',
    '/INBOX',
    ';UID=1',
    'imap://bob@example.test@mail.example.test/INBOX/;UID=1',
    'http://example.test/INBOX/;UID=1',
    '//mail.example.test/INBOX/;UID=1',
    '/INBOX/;UID=1;URLAUTH=anonymous',
    '/%zz/;UID=1',
  ]) {
    const { tagged } = await client.command(
      `APPEND INBOX CATENATE (URL "${url}" TEXT {1+}\r\nx URL "/INBOX/;UID=77")`,
    )
    assert.equal(tagged.startsWith(`NO [BADURL "${url}"] `), true, `${url}: ${tagged}`)
  }
  assert.deepEqual(await client.ok('STATUS INBOX (MESSAGES)'), ['* STATUS INBOX (MESSAGES 1)'])
})

test('CATENATE never makes a message beyond the limit, by texts or by URLs (RFC 4469 §4.2)', async t => {
  const server = await startImap(t, { config: { imap: imapConfig.parse({ messageBytes: 2048 }) } })
  const client = await server.client()
  const half = 'x'.repeat(1024)
  assert.equal(
    (await client.command(`APPEND INBOX CATENATE (TEXT {1024+}\r\n${half} TEXT {1024+}\r\n${half})`)).status,
    'OK',
  )
  assert.match(
    (await client.command(`APPEND INBOX CATENATE (TEXT {1024+}\r\n${half} TEXT {1025+}\r\n${half}x)`)).tagged,
    /^NO \[TOOBIG\]/,
  )
  assert.match(
    (await client.command('APPEND INBOX CATENATE (URL "/INBOX/;UID=1" TEXT {1+}\r\nx)')).tagged,
    /^NO \[TOOBIG\]/,
  )
  assert.equal((await client.command('APPEND INBOX CATENATE (URL "/INBOX/;UID=1")')).status, 'OK')
})

test('CATENATE with bad syntax is BAD, and the session goes on', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const wrong of [
    'CATENATE',
    'CATENATE ()',
    'CATENATE (URL)',
    'CATENATE (TEXT "x")',
    'CATENATE (FILE "x")',
    'CATENATE (URL "x"',
    'CATENATE (TEXT {1+}\r\nx',
  ])
    assert.equal((await client.command(`APPEND INBOX ${wrong}`)).status, 'BAD', wrong)
  assert.match((await client.command('APPEND INBOX CATENATE (TEXT {0+}\r\n)')).tagged, /^NO /)
  assert.equal((await client.command('NOOP')).status, 'OK')
})
