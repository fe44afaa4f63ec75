import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message, startImap } from '../harness.ts'
import { openInbox, type Stored } from '../fetch/mailbox.ts'

const day = 86_400_000
const flag = { seen: 1, answered: 2, flagged: 4, deleted: 8, draft: 16 }

function mail(headers: readonly string[], body = 'Hello.\r\n', more: Partial<Stored> = {}): Stored {
  return { bytes: Buffer.from(`${headers.join('\r\n')}\r\n\r\n${body}`, 'latin1'), ...more }
}

/** The numbers in `* SEARCH …`. */
function numbers(lines: readonly string[]): number[] {
  const line = lines.find(one => one.startsWith('* SEARCH'))
  assert.ok(line, lines.join('|'))
  return [...line.replace(/\(.*/, '').matchAll(/\d+/g)].map(Number)
}

test('a SEARCH that finds thousands names each of them, by number and by UID, also after some are gone', async t => {
  const count = 2600
  const sent = (number: number) => `Date: ${number % 3 === 0 ? '1 Mar 2021' : '1 Mar 2023'} 10:00:00 +0000`
  const stored = Array.from({ length: count }, (_unused, at) =>
    mail([sent(at + 1)], '', {
      receivedAt: (at + 1) * day,
      flags: { system: (at + 1) % 7 === 0 ? flag.seen : 0, keywords: [] },
    }),
  )
  const { imap } = await openInbox(t, stored)
  await imap.ok('UID STORE 5:8,1000 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  const uids = stored.map((_one, at) => at + 1).filter(uid => uid !== 1000 && (uid < 5 || uid > 8))
  const criteria: readonly (readonly [string, (uid: number) => boolean])[] = [
    ['ALL', () => true],
    ['UNSEEN', uid => uid % 7 !== 0],
    ['SINCE 29-Sep-1972', uid => uid >= 1002],
    ['SENTSINCE 1-Jan-2022', uid => uid % 3 !== 0],
    ['OR SEEN SENTBEFORE 1-Jan-2022', uid => uid % 7 === 0 || uid % 3 === 0],
  ]
  for (const [keys, matches] of criteria) {
    const found = uids.filter(matches)
    assert.deepEqual(numbers(await imap.ok(`UID SEARCH ${keys}`)), found, keys)
    assert.deepEqual(
      numbers(await imap.ok(`SEARCH ${keys}`)),
      found.map(uid => uids.indexOf(uid) + 1),
      keys,
    )
  }
})

test('SEARCH needs a selected mailbox and keys', async t => {
  const server = await startImap(t)
  const imap = await server.client()
  assert.equal((await imap.command('SEARCH ALL')).status, 'BAD')
  await imap.ok('SELECT INBOX')
  for (const bad of [
    'SEARCH',
    'SEARCH NOPE',
    'SEARCH ()',
    'SEARCH (ALL',
    'SEARCH ALL)',
    'SEARCH NOT',
    'SEARCH OR ALL',
    'SEARCH FROM',
    'SEARCH HEADER X',
    'SEARCH SINCE',
    'SEARCH SINCE 1-Foo-2020',
    'SEARCH SINCE 31-Feb-2020',
    'SEARCH LARGER -1',
    'SEARCH LARGER x',
    'SEARCH KEYWORD',
    'SEARCH KEYWORD (',
    'SEARCH UID',
    'SEARCH UID 0',
    'SEARCH 0',
    'SEARCH RETURN',
    'SEARCH RETURN (MIN)',
    'SEARCH RETURN (NOPE) ALL',
    'SEARCH RETURN MIN ALL',
    'SEARCH CHARSET',
    'SEARCH CHARSET UTF-8',
    'SEARCH OLDER 0',
    'SEARCH YOUNGER',
    'SEARCH MODSEQ',
    'SEARCH MODSEQ "/x" all 1',
    'SEARCH MODSEQ "/flags/x" nobody 1',
    'SEARCH EMAILID',
    'SEARCH EMAILID a.b',
    'SEARCH TEXT {3+}\r\n\xff\xfe\xfd',
    'SEARCH SAVEDON',
    'SEARCH ALL ALL,',
    'SEARCH 1,',
    'SEARCH 1:',
  ]) {
    assert.equal((await imap.command(bad)).status, 'BAD', bad)
    await imap.ok('NOOP')
  }
})

test('keys about flags and keywords', async t => {
  const { imap } = await openInbox(t, [
    mail(['Subject: 1'], '', { flags: { system: 0, keywords: [] } }),
    mail(['Subject: 2'], '', { flags: { system: flag.seen, keywords: ['$Work'] } }),
    mail(['Subject: 3'], '', {
      flags: { system: flag.answered | flag.flagged, keywords: ['$Work', 'other'] },
    }),
    mail(['Subject: 4'], '', { flags: { system: flag.deleted | flag.draft | flag.seen, keywords: [] } }),
  ])
  const expected: Record<string, number[]> = {
    ALL: [1, 2, 3, 4],
    ANSWERED: [3],
    UNANSWERED: [1, 2, 4],
    DELETED: [4],
    UNDELETED: [1, 2, 3],
    DRAFT: [4],
    UNDRAFT: [1, 2, 3],
    FLAGGED: [3],
    UNFLAGGED: [1, 2, 4],
    SEEN: [2, 4],
    UNSEEN: [1, 3],
    'KEYWORD $work': [2, 3],
    'UNKEYWORD $WORK': [1, 4],
    'KEYWORD Other': [3],
    'KEYWORD nobody': [],
    'UNKEYWORD nobody': [1, 2, 3, 4],
    'KEYWORD __proto__': [],
    'KEYWORD constructor': [],
    RECENT: [1, 2, 3, 4],
    NEW: [1, 3],
    OLD: [],
    'NOT SEEN': [1, 3],
    'NOT NOT SEEN': [2, 4],
    'OR SEEN FLAGGED': [2, 3, 4],
    '(SEEN DELETED)': [4],
    'SEEN UNDELETED': [2],
    'OR (SEEN DELETED) (FLAGGED ANSWERED)': [3, 4],
    'OR ANSWERED OR DELETED KEYWORD $Work': [2, 3, 4],
    'NOT (OR SEEN FLAGGED)': [1],
  }
  for (const [keys, found] of Object.entries(expected))
    assert.deepEqual(numbers(await imap.ok(`SEARCH ${keys}`)), found, keys)
  await imap.ok('ENABLE IMAP4rev2')
  for (const gone of ['NEW', 'OLD', 'RECENT'])
    assert.equal((await imap.command(`SEARCH ${gone}`)).status, 'BAD', gone)
})

test('keys about dates disregard time and zone (RFC 9051 §6.4.4)', async t => {
  const { imap } = await openInbox(t, [
    mail(['Date: Tue, 1 Feb 1994 23:30:00 -0800'], '', { receivedAt: Date.UTC(1994, 1, 1, 0, 0, 0) }),
    mail(['Date: Wed, 2 Feb 1994 00:30:00 +0900'], '', { receivedAt: Date.UTC(1994, 1, 1, 23, 59, 59, 999) }),
    mail(['Subject: no date'], '', { receivedAt: Date.UTC(1994, 1, 2) }),
    mail(['Date: nonsense'], '', { receivedAt: Date.UTC(1994, 0, 31, 23, 59, 59) }),
  ])
  const expected: Record<string, number[]> = {
    'BEFORE 1-Feb-1994': [4],
    'ON 1-Feb-1994': [1, 2],
    'SINCE 1-Feb-1994': [1, 2, 3],
    'SINCE "2-feb-1994"': [3],
    'ON 01-FEB-1994': [1, 2],
    'SENTON 1-Feb-1994': [1],
    'SENTON 2-Feb-1994': [2],
    'SENTBEFORE 2-Feb-1994': [1],
    'SENTSINCE 1-Feb-1994': [1, 2],
    'NOT SENTSINCE 1-Jan-1900': [3, 4],
  }
  for (const [keys, found] of Object.entries(expected))
    assert.deepEqual(numbers(await imap.ok(`SEARCH ${keys}`)), found, keys)
})

test('SAVEDBEFORE, SAVEDON and SAVEDSINCE go by the day of arrival here (RFC 8514 §4.3)', async t => {
  const { imap, context } = await openInbox(t, [mail(['Subject: 1'], '', { receivedAt: 0 })])
  const date = (at: number) => new Date(at).toUTCString().replace(/^..., (\d\d) (...) (\d{4}).*/, '$1-$2-$3')
  const now = context.clock.now()
  for (const on of [
    `SAVEDSINCE ${date(now - day)}`,
    `SAVEDBEFORE ${date(now + 2 * day)}`,
    'SAVEDATESUPPORTED',
  ])
    assert.deepEqual(numbers(await imap.ok(`SEARCH ${on}`)), [1], on)
  for (const off of [
    `SAVEDON ${date(now - 2 * day)}`,
    `SAVEDSINCE ${date(now + 2 * day)}`,
    'SAVEDON 1-Jan-1970',
    'NOT SAVEDATESUPPORTED',
  ])
    assert.deepEqual(numbers(await imap.ok(`SEARCH ${off}`)), [], off)
})

test('OLDER and YOUNGER are exact to the second, and equal matches both (RFC 5032 §2)', async t => {
  const now = Date.UTC(2026, 5, 1, 12, 0, 0, 700)
  const server = await startImap(t, { clock: { now: () => now } })
  const imap = await server.client()
  for (const seconds of [0, 59, 60, 61, 3600]) {
    const text = new Date(now - seconds * 1000)
      .toUTCString()
      .replace(/^..., (\d\d) (...) (\d{4}) (.*) GMT/, '$1-$2-$3 $4 +0000')
    await imap.append('INBOX', message(`m${seconds}`), `"${text}" `)
  }
  await imap.ok('SELECT INBOX')
  assert.deepEqual(numbers(await imap.ok('SEARCH YOUNGER 60')), [1, 2, 3])
  assert.deepEqual(numbers(await imap.ok('SEARCH OLDER 60')), [3, 4, 5])
  assert.deepEqual(numbers(await imap.ok('SEARCH OLDER 4294967295')), [])
})

test('keys about sizes, numbers, UIDs and object ids', async t => {
  const server = await openInbox(
    t,
    ['a', 'bb', 'ccc', 'dddd'].map(body => mail(['Subject: s'], body)),
  )
  const { imap } = server
  const size = 'Subject: s\r\n\r\n'.length
  await imap.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  const expected: Record<string, number[]> = {
    [`LARGER ${size + 2}`]: [2, 3],
    [`SMALLER ${size + 3}`]: [1],
    'LARGER 0': [1, 2, 3],
    'LARGER 9007199254740991': [],
    '1': [1],
    '2:*': [2, 3],
    '*': [3],
    '9:*': [3],
    '7': [],
    '1,3': [1, 3],
    '3:1': [1, 2, 3],
    '1:2,2:3,1': [1, 2, 3],
    'UID 2': [1],
    'UID 1': [],
    'UID 1:3': [1, 2],
    'UID *': [3],
    'UID 99:*': [3],
    'UID 4294967295': [],
    'NOT UID 2:3': [3],
    'NOT 1': [2, 3],
    'EMAILID E3': [2],
    'EMAILID E999': [],
    'EMAILID E03': [],
    'EMAILID x': [],
    'THREADID T4': [3],
    'THREADID T999': [],
    'EMAILID E': [],
    $: [],
    'NOT $': [1, 2, 3],
  }
  for (const [keys, found] of Object.entries(expected))
    assert.deepEqual(numbers(await imap.ok(`SEARCH ${keys}`)), found, keys)
  assert.deepEqual(numbers(await imap.ok('UID SEARCH 2:3')), [3, 4])
  assert.equal((await imap.command('SEARCH LARGER 9007199254740992')).status, 'BAD')
})

test('keys about header fields look in decoded, unfolded text without regard to case', async t => {
  const { imap } = await openInbox(t, [
    mail([
      'From: "Smith, J" <js@example.org>',
      'To: bob@example.test',
      'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus',
      ' =?iso-8859-1?b?S/ZsbiBhbSBSaGVpbg==?=',
    ]),
    mail([
      'From: other@example.org',
      'Cc: Smith@example.org',
      'Bcc: hidden@example.org',
      'X-Spam: yes',
      'x-spam: again',
      '__proto__: x',
      'Subject:',
    ]),
    mail(['To: a@b', 'To: second@example.org', 'X-Empty:']),
  ])
  const utf8 = (text: string) => Buffer.from(text).toString('latin1')
  const expected: Record<string, number[]> = {
    'FROM smith': [1],
    'FROM "smith, j"': [1],
    'CC SMITH': [2],
    'BCC hidden': [2],
    'TO second': [3],
    'TO example': [1, 3],
    'FROM nobody': [],
    'OR FROM smith CC smith': [1, 2],
    'HEADER X-SPAM again': [2],
    'HEADER x-spam ""': [2],
    'HEADER x-none ""': [],
    'HEADER X-Empty ""': [3],
    'HEADER X-Empty x': [],
    'HEADER __proto__ ""': [2],
    'HEADER __proto__ X': [2],
    'HEADER constructor ""': [],
    'HEADER toString ""': [],
    'SUBJECT ""': [1, 2],
    'NOT SUBJECT ""': [3],
    'HEADER "Subject" "AUS K"': [1],
    'HEADER from @example.org': [1, 2],
    [`SUBJECT {${Buffer.byteLength('GRÜßE')}+}\r\n${utf8('GRÜßE')}`]: [1],
    [`SUBJECT "${utf8('köln AM rhein')}"`]: [1],
    [`SUBJECT "${utf8('ko\u0308ln')}"`]: [1],
    [`CHARSET utf-8 SUBJECT "${utf8('grüße')}"`]: [1],
    'CHARSET iso-8859-1 SUBJECT {4+}\r\nK\xd6LN': [1],
    'CHARSET "windows-1252" (SUBJECT {4+}\r\nk\xf6ln)': [1],
    'CHARSET US-ASCII SUBJECT aus': [1],
    // The words in a header are not the header: an encoded word's bytes are not found.
    'SUBJECT "=?utf-8"': [],
  }
  for (const [keys, found] of Object.entries(expected))
    assert.deepEqual(numbers(await imap.ok(`SEARCH ${keys}`)), found, keys)
})

test('BODY and TEXT look in the decoded text of text parts, TEXT in all headers too', async t => {
  const parts = [
    'Content-Type: multipart/mixed; boundary=b\r\nSubject: outer subject\r\n\r\npreamble words\r\n--b',
    'Content-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n8NLJ18XUIO3JIQ==\r\n--b',
    'Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p class=3Dfancy>caf&eacute; amo=\r\nunt <b>d</b>ue</p>\r\n--b',
    'Content-Type: application/octet-stream; name=secret-file.bin\r\nContent-Description: a thing\r\n\r\nbinary words\r\n--b',
    'Content-Type: message/rfc822\r\n\r\nSubject: inner subject\r\nFrom: inner@example.org\r\n\r\ninner words\r\n--b--\r\n',
  ].join('\r\n')
  const { imap } = await openInbox(t, [parts, message('plain', 'Outer words\r\nin two lines\r\n')])
  const utf8 = (text: string) => Buffer.from(text).toString('latin1')
  const expected: Record<string, number[]> = {
    [`BODY "${utf8('ПРИВЕТ')}"`]: [1],
    [`TEXT "${utf8('привет ми')}"`]: [1],
    'BODY fancy': [1],
    'BODY "amount <b>"': [1],
    'BODY "amount due"': [1],
    [`BODY "${utf8('CAFÉ')}"`]: [1],
    'BODY "inner words"': [1],
    'BODY "inner subject"': [],
    'TEXT "inner subject"': [1],
    'TEXT "outer subject"': [1],
    'BODY "outer subject"': [],
    'BODY "binary words"': [],
    'TEXT "binary words"': [],
    'TEXT secret-file': [1],
    'BODY secret-file': [],
    'TEXT "a thing"': [1],
    'BODY words': [1, 2],
    'BODY {14+}\r\nwords\r\nin two ': [2],
    'BODY ""': [1, 2],
    'TEXT ""': [1, 2],
    'NOT BODY words': [],
    'TEXT "subject: plain"': [2],
    'BODY words BODY lines NOT TEXT fancy': [2],
    'OR BODY fancy BODY lines': [1, 2],
  }
  for (const [keys, found] of Object.entries(expected))
    assert.deepEqual(numbers(await imap.ok(`SEARCH ${keys}`)), found, keys)
})

test('a message larger than what is read at once is searched through, its attachments left alone', async t => {
  const big = 'lorem ipsum dolor sit amet\r\n'.repeat(20_000)
  const text = `Content-Type: multipart/mixed; boundary=b\r\nSubject: big\r\n\r\n--b\r\n\r\n${big}needle here\r\n--b\r\nContent-Type: image/png\r\nX-In: attachment-header\r\n\r\n${big}hay\r\n--b\r\n\r\nlast part\r\n--b--\r\n`
  const { imap } = await openInbox(t, [text, message('small')])
  for (const [keys, found] of [
    ['BODY "needle here"', [1]],
    ['BODY hay', []],
    ['BODY "last part"', [1]],
    ['TEXT attachment-header', [1]],
    ['TEXT "amet\r\nlorem"', [1]],
  ] as const) {
    const literal = keys.replace(/"(.*)"/s, (_, inner: string) => `{${inner.length}+}\r\n${inner}`)
    assert.deepEqual(numbers(await imap.ok(`SEARCH ${literal}`)), found, keys)
  }
})

test('text is found wherever it lies in a long part, whatever its letters', async t => {
  const needle = 'caf\u00e9 \u{1d400}\u{1d401} stra\u00dfe'
  const long = (at: number) => `${'\u00e4\u{1d402}x'.repeat(at)}${needle}${'y'.repeat(200_000)}`
  const ats = [0, 100, ...Array.from({ length: 14 }, (_, step) => 32_740 + step * 4), 65_500]
  const { imap } = await openInbox(
    t,
    ats.map(at => ({
      bytes: Buffer.from(
        `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${long(at)}`,
      ),
    })),
  )
  const literal = Buffer.from('CAFE\u0301 AB STRA\u00dfE')
  const found = numbers(await imap.ok(`SEARCH BODY {${literal.length}+}\r\n${literal.toString('latin1')}`))
  assert.deepEqual(
    found,
    ats.map((_, at) => at + 1),
  )
  assert.deepEqual(
    numbers(await imap.ok(`SEARCH BODY {${literal.length + 1}+}\r\n${literal.toString('latin1')}!`)),
    [],
  )
})

test('an unknown CHARSET is NO [BADCHARSET], after the grammar (RFC 9051 §6.4.4)', async t => {
  const { imap } = await openInbox(t, [message('one')])
  assert.match(
    (await imap.command('SEARCH CHARSET x-unknown TEXT abc')).tagged,
    /^NO \[BADCHARSET \(UTF-8 US-ASCII\)\]/,
  )
  assert.equal((await imap.command('SEARCH CHARSET x-unknown NOPE')).status, 'BAD')
  for (const charset of [
    'utf-8',
    'US-ASCII',
    'iso-8859-15',
    'koi8-r',
    'Shift_JIS',
    'gb18030',
    'big5',
    'euc-kr',
    'windows-1251',
    'utf-7',
  ]) {
    assert.equal((await imap.command(`SEARCH CHARSET ${charset} TEXT abc`)).status, 'OK', charset)
  }
})

test('RETURN gives ESEARCH with the tag (RFC 4731; RFC 9051 §7.3.4)', async t => {
  const { imap } = await openInbox(
    t,
    Array.from({ length: 6 }, (_, at) =>
      mail([`Subject: s${at}`], '', { flags: { system: at % 2, keywords: [] } }),
    ),
  )
  await imap.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  const ask = async (command: string) => {
    imap.send(`A1 ${command}\r\n`)
    const { untagged, status } = await imap.answer('A1')
    assert.equal(status, 'OK', command)
    return untagged.join('|')
  }
  assert.equal(
    await ask('SEARCH RETURN (MIN MAX COUNT ALL) SEEN'),
    '* ESEARCH (TAG "A1") MIN 1 MAX 5 COUNT 3 ALL 1,3,5',
  )
  assert.equal(
    await ask('UID SEARCH RETURN (MIN MAX COUNT ALL) SEEN'),
    '* ESEARCH (TAG "A1") UID MIN 2 MAX 6 COUNT 3 ALL 2,4,6',
  )
  assert.equal(await ask('SEARCH RETURN () ALL'), '* ESEARCH (TAG "A1") ALL 1:5')
  assert.equal(await ask('SEARCH RETURN (COUNT) SUBJECT nope'), '* ESEARCH (TAG "A1") COUNT 0')
  assert.equal(await ask('SEARCH RETURN (MIN MAX ALL) SUBJECT nope'), '* ESEARCH (TAG "A1")')
  assert.equal(await ask('UID SEARCH RETURN (all) SUBJECT nope'), '* ESEARCH (TAG "A1") UID')
  assert.equal(await ask('SEARCH RETURN (max) SEEN'), '* ESEARCH (TAG "A1") MAX 5')
  assert.equal(await ask('SEARCH RETURN (MIN MIN) SEEN'), '* ESEARCH (TAG "A1") MIN 1')
  assert.equal(await ask('SEARCH SEEN'), '* SEARCH 1 3 5')
  await imap.ok('ENABLE IMAP4rev2')
  assert.equal(await ask('SEARCH SEEN'), '* ESEARCH (TAG "A1") ALL 1,3,5')
  assert.equal(await ask('UID SEARCH SUBJECT nope'), '* ESEARCH (TAG "A1") UID')
})

test('MODSEQ is answered with the highest of what is shown (RFC 7162 §3.1.5; RFC 4731 §3.2)', async t => {
  const { imap } = await openInbox(t, [message('1'), message('2'), message('3'), message('4')])
  await imap.ok('ENABLE CONDSTORE')
  const modSeqOf = async (number: number) =>
    Number(/MODSEQ \((\d+)\)/.exec(String(await imap.ok(`FETCH ${number} MODSEQ`)))?.[1])
  for (const number of [3, 1, 2]) await imap.ok(`STORE ${number} +FLAGS.SILENT (\\Seen)`)
  const [one, two, three] = [await modSeqOf(1), await modSeqOf(2), await modSeqOf(3)]
  const ask = async (command: string) => String(await imap.ok(command)).replace(/\(TAG "[^"]*"\) /, '')
  assert.equal(await ask(`SEARCH MODSEQ ${three}`), `* SEARCH 1 2 3 (MODSEQ ${two})`)
  assert.equal(await ask(`SEARCH MODSEQ "/flags/\\\\draft" all ${three} 3`), `* SEARCH 3 (MODSEQ ${three})`)
  assert.equal(await ask(`SEARCH MODSEQ ${two + 1}`), '* SEARCH')
  assert.equal(await ask(`SEARCH RETURN (MIN) MODSEQ ${three}`), `* ESEARCH MIN 1 MODSEQ ${one}`)
  assert.equal(await ask(`SEARCH RETURN (MAX) MODSEQ ${three}`), `* ESEARCH MAX 3 MODSEQ ${three}`)
  assert.equal(await ask(`SEARCH RETURN (MIN MAX) MODSEQ ${three}`), `* ESEARCH MIN 1 MAX 3 MODSEQ ${one}`)
  assert.equal(
    await ask(`SEARCH RETURN (MIN COUNT) MODSEQ ${three}`),
    `* ESEARCH MIN 1 COUNT 3 MODSEQ ${two}`,
  )
  assert.equal(await ask(`SEARCH RETURN (ALL) MODSEQ ${three}`), `* ESEARCH ALL 1:3 MODSEQ ${two}`)
  assert.equal(await ask(`SEARCH RETURN (COUNT) MODSEQ ${two + 1}`), '* ESEARCH COUNT 0')
  assert.equal(
    await ask(`SEARCH OR NOT MODSEQ ${three} LARGER 50000`),
    `* SEARCH 4 (MODSEQ ${await modSeqOf(4)})`,
  )
})

test('SEARCH MODSEQ switches CONDSTORE on (RFC 7162 §3.1)', async t => {
  const { imap } = await openInbox(t, [message('1')])
  const lines = await imap.ok('SEARCH MODSEQ 1')
  assert.match(lines[0] ?? '', /^\* OK \[HIGHESTMODSEQ \d+\]/)
  assert.match(String(await imap.ok('FETCH 1 FLAGS')), /MODSEQ/)
})

test('SAVE keeps what RFC 9051 §6.4.4.1 says with each other option', async t => {
  const { imap } = await openInbox(
    t,
    Array.from({ length: 7 }, (_, at) =>
      mail([`Subject: s${at}`], '', { flags: { system: at % 2, keywords: [] } }),
    ),
  )
  const saved = async (options: string) => {
    const lines = await imap.ok(`SEARCH RETURN (${options}) SEEN`)
    return [lines.join('|').replace(/\(TAG "[^"]*"\) ?/, ''), numbers(await imap.ok('SEARCH $'))]
  }
  assert.deepEqual(await saved('SAVE'), ['', [2, 4, 6]])
  assert.deepEqual(await saved('SAVE MIN'), ['* ESEARCH MIN 2', [2]])
  assert.deepEqual(await saved('MAX SAVE'), ['* ESEARCH MAX 6', [6]])
  assert.deepEqual(await saved('MAX SAVE MIN'), ['* ESEARCH MIN 2 MAX 6', [2, 6]])
  assert.deepEqual(await saved('MAX SAVE MIN COUNT'), ['* ESEARCH MIN 2 MAX 6 COUNT 3', [2, 4, 6]])
  assert.deepEqual(await saved('ALL SAVE MIN'), ['* ESEARCH MIN 2 ALL 2,4,6', [2, 4, 6]])
  assert.deepEqual(await saved('ALL'), ['* ESEARCH ALL 2,4,6', [2, 4, 6]])
  await imap.ok('SEARCH RETURN (SAVE MIN MAX) SUBJECT s3')
  assert.deepEqual(numbers(await imap.ok('SEARCH $')), [4])
  await imap.ok('SEARCH RETURN (SAVE) SUBJECT nope')
  assert.deepEqual(numbers(await imap.ok('SEARCH $')), [])
})

test('$ follows expunges, survives BAD, and is emptied by NO (RFC 9051 §6.4.4.1)', async t => {
  const { imap } = await openInbox(
    t,
    Array.from({ length: 5 }, (_, at) => message(`s${at}`)),
  )
  await imap.ok('SEARCH RETURN (SAVE) 2:4')
  await imap.ok('STORE 1,3 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  assert.deepEqual(numbers(await imap.ok('UID SEARCH $')), [2, 4])
  assert.deepEqual(numbers(await imap.ok('SEARCH $ SUBJECT s3')), [2])
  assert.deepEqual(numbers(await imap.ok('SEARCH UID $')), [1, 2])
  assert.deepEqual(numbers(await imap.ok('SEARCH OR $ 3')), [1, 2, 3])
  await imap.ok('SEARCH RETURN (SAVE) $ SUBJECT s1')
  assert.deepEqual(numbers(await imap.ok('SEARCH $')), [1])
  assert.equal((await imap.command('SEARCH RETURN (SAVE) NOPE')).status, 'BAD')
  assert.equal((await imap.command('SEARCH CHARSET x-unknown TEXT a')).status, 'NO')
  assert.deepEqual(numbers(await imap.ok('SEARCH $')), [1])
  assert.equal((await imap.command('SEARCH RETURN (SAVE) CHARSET x-unknown TEXT a')).status, 'NO')
  assert.deepEqual(numbers(await imap.ok('SEARCH $')), [])
  await imap.ok('SEARCH RETURN (SAVE) ALL')
  await imap.ok('SELECT INBOX')
  assert.deepEqual(numbers(await imap.ok('SEARCH $')), [])
})

test('EXPUNGE waits for a SEARCH, and for a UID SEARCH with message numbers, but no longer (RFC 9051 §7.5.1; RFC 7162 §3.2.10.2)', async t => {
  const server = await openInbox(t, [message('1'), message('2'), message('3')])
  const { imap } = server
  const other = await server.client()
  await other.ok('SELECT INBOX')
  const expungeFirst = async () => {
    await other.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
    await other.ok('EXPUNGE')
  }
  await expungeFirst()
  const held = (lines: readonly string[]) =>
    assert.ok(!lines.some(line => /EXPUNGE|VANISHED/.test(line)), lines.join('|'))
  let lines = await imap.ok('SEARCH ALL')
  held(lines)
  assert.deepEqual(numbers(lines), [2, 3])
  lines = await imap.ok('UID SEARCH 2:3')
  held(lines)
  assert.deepEqual(numbers(lines), [2, 3])
  lines = await imap.ok('UID SEARCH NOT (UID 1 OR 1 2)')
  held(lines)
  lines = await imap.ok('UID SEARCH UID 1:*')
  assert.deepEqual(lines, ['* SEARCH 2 3', '* 1 EXPUNGE'])
  await imap.ok('ENABLE QRESYNC')
  await expungeFirst()
  held(await imap.ok('UID SEARCH 1'))
  assert.deepEqual(await imap.ok('UID SEARCH ALL'), ['* SEARCH 3', '* VANISHED 2'])
})

test('deep parentheses, and too many keys, are refused', async t => {
  const { imap } = await openInbox(t, [message('1')])
  assert.equal((await imap.command(`SEARCH ${'('.repeat(49)}ALL${')'.repeat(49)}`)).status, 'OK')
  for (const depth of [51, 1000, 30_000]) {
    assert.equal(
      (await imap.command(`SEARCH ${'('.repeat(depth)}ALL${')'.repeat(depth)}`)).status,
      'BAD',
      String(depth),
    )
    assert.equal((await imap.command(`SEARCH ${'NOT '.repeat(Math.min(depth, 15_000))}ALL`)).status, 'BAD')
    await imap.ok('NOOP')
  }
  // A choice of many is no deep tree.
  assert.deepEqual(numbers(await imap.ok(`SEARCH ${'OR SUBJECT x '.repeat(2000)}ALL`)), [1])
  assert.deepEqual(numbers(await imap.ok(`SEARCH ${'1 '.repeat(4990)}`)), [1])
  assert.match((await imap.command(`SEARCH ${'1 '.repeat(5001)}`)).tagged, /^BAD \[TOOBIG\]/)
})
