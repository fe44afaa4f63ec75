import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message } from '../harness.ts'
import { openInbox, valueOf } from './mailbox.ts'

const multipart = [
  'From: Fred Foobar <foobar@Blurdybloop.example>',
  'To: mooch@owatagu.example',
  'Subject: parts',
  'X-Twice: one',
  'X-Twice: two',
  ' folded',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  'preamble',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'first part',
  '--b',
  'Content-Type: application/octet-stream',
  'Content-Transfer-Encoding: base64',
  '',
  'AAECA/8=',
  '--b',
  'Content-Type: message/rfc822',
  '',
  'Subject: inner',
  'Content-Type: multipart/alternative; boundary=c',
  '',
  '--c',
  'Content-Type: text/plain',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'caf=C3=A9',
  '--c',
  'Content-Type: text/html',
  'Content-Transfer-Encoding: x-nobody-knows',
  '',
  '<p>html</p>',
  '--c--',
  '--b--',
  'epilogue',
  '',
].join('\r\n')

test('UID, FLAGS, INTERNALDATE, RFC822.SIZE, SAVEDATE, EMAILID and THREADID come from the snapshot', async t => {
  const { imap } = await openInbox(t, [
    {
      bytes: Buffer.from(message('one')),
      receivedAt: Date.UTC(1996, 6, 7, 2, 4, 5),
      flags: { system: 5, keywords: ['$Work'] },
    },
  ])
  const [line] = await imap.ok('FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE EMAILID THREADID)')
  assert.equal(
    line,
    `* 1 FETCH (UID 1 FLAGS (\\Seen \\Flagged \\Recent $Work) INTERNALDATE " 7-Jul-1996 02:04:05 +0000" RFC822.SIZE ${message('one').length} EMAILID (E1) THREADID (T1))`,
  )
  assert.match(
    String(await imap.ok('FETCH 1 SAVEDATE')),
    /^\* 1 FETCH \(SAVEDATE "[ \d]\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d \+0000"\)$/,
  )
})

test('INTERNALDATE keeps to four digits of a year', async t => {
  const dates = [
    Date.UTC(1, 0, 1) - 1900 * 366 * 86_400_000,
    -1,
    0,
    Date.UTC(2000, 1, 29, 23, 59, 59),
    8.64e15,
  ]
  const { imap } = await openInbox(
    t,
    dates.map((receivedAt, at) => ({ bytes: Buffer.from(message(`m${at}`)), receivedAt })),
  )
  const lines = await imap.ok('FETCH 1:* INTERNALDATE')
  assert.deepEqual(
    lines.map(line => valueOf(line, 'INTERNALDATE')),
    [
      lines[0] && valueOf(lines[0], 'INTERNALDATE'),
      '31-Dec-1969 23:59:59 +0000',
      ' 1-Jan-1970 00:00:00 +0000',
      '29-Feb-2000 23:59:59 +0000',
      '31-Dec-9999 23:59:59 +0000',
    ],
  )
  for (const line of lines)
    assert.match(line, /INTERNALDATE "[ \d]\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d \+0000"/)
})

test('the macros stand for their items, by themselves only (RFC 9051 §6.4.5)', async t => {
  const { imap } = await openInbox(t, [message('one')])
  const names = async (macro: string) =>
    [
      ...String(await imap.ok(`FETCH 1 ${macro}`)).matchAll(
        /[ (](FLAGS|INTERNALDATE|RFC822\.SIZE|ENVELOPE|BODY) /g,
      ),
    ].map(([, name]) => name)
  assert.deepEqual(await names('ALL'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'])
  assert.deepEqual(await names('fast'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'])
  assert.deepEqual(await names('Full'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY'])
  for (const bad of ['(ALL)', '(FLAGS FULL)', 'ALL FLAGS', '()']) {
    assert.equal((await imap.command(`FETCH 1 ${bad}`)).status, 'BAD', bad)
  }
})

test('ENVELOPE, BODY and BODYSTRUCTURE are in wire form', async t => {
  const { imap } = await openInbox(t, [multipart])
  const [line = ''] = await imap.ok('FETCH 1 (ENVELOPE BODY BODYSTRUCTURE)')
  assert.ok(line.includes('ENVELOPE (NIL "parts" (("Fred Foobar" NIL "foobar" "Blurdybloop.example"))'))
  assert.ok(
    line.includes(
      ' BODY (("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 10 0)("application" "octet-stream" NIL NIL NIL "base64" 8)("message" "rfc822" NIL',
    ),
  )
  assert.ok(line.endsWith('"mixed" ("boundary" "b") NIL NIL NIL))'))
})

test('sections are the bytes that RFC 9051 §6.4.5.1 names', async t => {
  const { imap } = await openInbox(t, [multipart])
  // The line end behind the inner multipart's last boundary is of that line, as Dovecot and Cyrus count it.
  const inner = multipart.slice(multipart.indexOf('Subject: inner'), multipart.indexOf('--b--'))
  const sections: Record<string, string | undefined> = {
    '': multipart,
    HEADER: multipart.slice(0, multipart.indexOf('preamble')),
    TEXT: multipart.slice(multipart.indexOf('preamble')),
    '1': 'first part',
    '1.MIME': 'Content-Type: text/plain; charset=utf-8\r\n\r\n',
    '2': 'AAECA/8=',
    '3': inner,
    '3.HEADER': 'Subject: inner\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n',
    '3.TEXT': inner.slice(inner.indexOf('--c')),
    '3.1': 'caf=C3=A9',
    '3.2.MIME': 'Content-Type: text/html\r\nContent-Transfer-Encoding: x-nobody-knows\r\n\r\n',
    'HEADER.FIELDS (X-TWICE subject)': 'Subject: parts\r\nX-Twice: one\r\nX-Twice: two\r\n folded\r\n\r\n',
    'HEADER.FIELDS ("x-none")': '\r\n',
    'HEADER.FIELDS.NOT (From To X-Twice MIME-Version Content-Type)': 'Subject: parts\r\n\r\n',
    '3.HEADER.FIELDS (subject)': 'Subject: inner\r\n\r\n',
    '4': 'NIL',
    '1.1': 'NIL',
    '1.HEADER': 'NIL',
    '1.TEXT': 'NIL',
    '1.HEADER.FIELDS (subject)': 'NIL',
    '3.1.MIME': 'Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n',
  }
  for (const [section, expected] of Object.entries(sections)) {
    const [line = ''] = await imap.ok(`FETCH 1 BODY.PEEK[${section}]`)
    const name = section === 'HEADER.FIELDS ("x-none")' ? 'HEADER.FIELDS (x-none)' : section
    assert.equal(valueOf(line, `BODY[${name}]`), expected, section)
  }
  // All at once share a read and say the same.
  const [line = ''] = await imap.ok(
    `FETCH 1 (${Object.keys(sections)
      .map(name => `BODY.PEEK[${name}]`)
      .join(' ')})`,
  )
  for (const [section, expected] of Object.entries(sections)) {
    const name = section === 'HEADER.FIELDS ("x-none")' ? 'HEADER.FIELDS (x-none)' : section
    assert.equal(valueOf(line, `BODY[${name}]`), expected, section)
  }
})

test('section names are answered in capitals, field names as the client spelt them', async t => {
  const { imap } = await openInbox(t, [message('one')])
  const [line = ''] = await imap.ok(
    'FETCH 1 (body.peek[header.fields (SUBJECT "x y" From)] body.peek[1.mime])',
  )
  assert.match(line, /^\* 1 FETCH \(BODY\[HEADER\.FIELDS \(SUBJECT "x y" From\)\] \{\d+\}\r\n/)
  assert.ok(line.includes(' BODY[1.MIME] {'))
})

test('a partial past the end is empty, one over the end is cut, and its name shows the offset (RFC 9051 §6.4.5)', async t => {
  const { imap } = await openInbox(t, [message('one')])
  const size = message('one').length
  assert.deepEqual(await imap.ok(`FETCH 1 BODY.PEEK[]<${size}.10>`), [`* 1 FETCH (BODY[]<${size}> "")`])
  assert.deepEqual(await imap.ok(`FETCH 1 BODY.PEEK[TEXT]<4.1000>`), [
    '* 1 FETCH (BODY[TEXT]<4> {4}\r\no.\r\n)',
  ])
  const [line = ''] = await imap.ok('FETCH 1 BODY.PEEK[]<0.2048>')
  assert.ok(line.includes(`BODY[]<0> {${size}}`))
  assert.deepEqual(await imap.ok('FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject)]<9.3>'), [
    '* 1 FETCH (BODY[HEADER.FIELDS (Subject)]<9> {3}\r\none)',
  ])
  assert.deepEqual(await imap.ok('FETCH 1 BODY.PEEK[]<9007199254740991.9007199254740991>'), [
    '* 1 FETCH (BODY[]<9007199254740991> "")',
  ])
  for (const bad of [
    '<0.0>',
    '<1>',
    '<.1>',
    '<-1.5>',
    '<1.>',
    '<99999999999999999999.1>',
    '<9223372036854775808.1>',
  ]) {
    assert.equal((await imap.command(`FETCH 1 BODY.PEEK[]${bad}`)).status, 'BAD', bad)
  }
})

test('BINARY undoes the transfer encoding, with literal8 where there is NUL (RFC 3516 §4)', async t => {
  const { imap } = await openInbox(t, [multipart])
  const [line = ''] = await imap.ok(
    'FETCH 1 (BINARY.PEEK[1] BINARY.PEEK[2] BINARY.SIZE[2] BINARY.PEEK[2]<1.2> BINARY.PEEK[3.1] BINARY.SIZE[3.1] BINARY.PEEK[9] BINARY.SIZE[9] BINARY.PEEK[2]<9.1>)',
  )
  assert.equal(
    line,
    '* 1 FETCH (BINARY[1] {10}\r\nfirst part BINARY[2] ~{5}\r\n\0\x01\x02\x03\xff BINARY.SIZE[2] 5 BINARY[2]<1> {2}\r\n\x01\x02 BINARY[3.1] {5}\r\ncaf\xc3\xa9 BINARY.SIZE[3.1] 5 BINARY[9] NIL BINARY.SIZE[9] 0 BINARY[2]<9> "")',
  )
  const [whole = ''] = await imap.ok('FETCH 1 BINARY.PEEK[]')
  assert.equal(valueOf(whole, 'BINARY[]'), multipart)
})

test('BINARY of an unknown transfer encoding is refused with UNKNOWN-CTE (RFC 3516 §4.3)', async t => {
  const { imap } = await openInbox(t, [multipart])
  for (const item of ['BINARY.PEEK[3.2]', 'BINARY.SIZE[3.2]', 'BINARY[3.2]<0.1>']) {
    assert.match((await imap.command(`FETCH 1 ${item}`)).tagged, /^NO \[UNKNOWN-CTE\]/, item)
  }
  assert.equal((await imap.command('FETCH 1 BODY.PEEK[3.2]')).status, 'OK')
})

test('NUL in a message goes out as 0x80 in BODY[] and as it is in BINARY[] (RFC 9051 §9, CHAR8)', async t => {
  const text = message('nul', 'a\0b\0\r\n')
  const { imap } = await openInbox(t, [text])
  const [line = ''] = await imap.ok('FETCH 1 (BODY.PEEK[TEXT] BINARY.PEEK[1])')
  assert.equal(line, '* 1 FETCH (BODY[TEXT] {6}\r\na\x80b\x80\r\n BINARY[1] ~{6}\r\na\0b\0\r\n)')
})

test('RFC822, RFC822.HEADER and RFC822.TEXT are of IMAP4rev1 only (RFC 9051 appendix E)', async t => {
  const { imap } = await openInbox(t, [message('one')])
  const header = message('one').slice(0, -8)
  assert.deepEqual(await imap.ok('FETCH 1 RFC822.HEADER'), [
    `* 1 FETCH (RFC822.HEADER {${header.length}}\r\n${header})`,
  ])
  assert.deepEqual(await imap.ok('FETCH 1 FLAGS'), ['* 1 FETCH (FLAGS (\\Recent))'])
  assert.deepEqual(await imap.ok('FETCH 1 RFC822.TEXT'), [
    '* 1 FETCH (FLAGS (\\Seen \\Recent) RFC822.TEXT {8}\r\nHello.\r\n)',
  ])
  assert.deepEqual(await imap.ok('FETCH 1 RFC822'), [
    `* 1 FETCH (RFC822 {${message('one').length}}\r\n${message('one')})`,
  ])
  await imap.ok('ENABLE IMAP4rev2')
  for (const item of ['RFC822', 'RFC822.HEADER', 'RFC822.TEXT'])
    assert.equal((await imap.command(`FETCH 1 ${item}`)).status, 'BAD')
  assert.deepEqual(await imap.ok('FETCH 1 (RFC822.SIZE FLAGS)'), [
    `* 1 FETCH (RFC822.SIZE ${message('one').length} FLAGS (\\Seen))`,
  ])
})

test('the message named by each item is the same over 300 messages in any order of sets', async t => {
  const { imap } = await openInbox(
    t,
    Array.from({ length: 300 }, (_, at) => message(`subject-${at + 1}`)),
  )
  const lines = await imap.ok('UID FETCH 300,1:5,250:260,3,* (ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT)])')
  const uids = [1, 2, 3, 4, 5, ...Array.from({ length: 11 }, (_, at) => 250 + at), 300]
  assert.deepEqual(
    lines.map(line => [
      Number(valueOf(line, 'UID')),
      valueOf(line, 'BODY[HEADER.FIELDS (SUBJECT)]'),
      line.includes(`"subject-${valueOf(line, 'UID')}"`),
    ]),
    uids.map(uid => [uid, `Subject: subject-${uid}\r\n\r\n`, true]),
  )
})
