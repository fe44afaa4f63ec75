import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { message, startImap } from '../harness.ts'

const attachment = (name: string) =>
  `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/pdf; ${name}\r\nContent-Disposition: attachment; file${name}\r\n\r\nx\r\n--b--\r\n`

test("X-GM-RAW finds what Gmail's operators say", async t => {
  const server = await startImap(t)
  const client = await server.client()
  const mails = [
    [
      '(\\Seen) "01-Jan-2020 12:00:00 +0000" ',
      message(
        'Dinner at the movies',
        'A secret word\r\n',
        'Cc: Carla <carla@example.test>\r\nBcc: dan@example.test\r\nDelivered-To: me@example.test\r\n',
      ),
    ],
    [
      '(\\Flagged $Important) "15-Jun-2021 12:00:00 +0000" ',
      message('Invoice', 'x'.repeat(20_000)).replace('alice@', 'shop@'),
    ],
    [
      '($muted) "15-Jul-2022 12:00:00 +0000" ',
      message(
        'caf\xc3\xa9',
        '',
        `List-Id: <dev.lists.example.test>\r\nMIME-Version: 1.0\r\n${attachment('name=report.pdf')}`,
      ).replace(/\r\n\r\n\r\n/, '\r\n\r\n'),
    ],
    [
      '',
      message(
        'dinner',
        '',
        attachment("name*=utf-8''%C3%BCber.txt").replace(
          'Content-Type: m',
          'MIME-Version: 1.0\r\nContent-Type: m',
        ),
      ).replace(/\r\n\r\n\r\n/, '\r\n\r\n'),
    ],
  ]
  for (const [before, text] of mails)
    assert.match((await client.append('INBOX', text as string, before)).tagged, /^OK/)
  await client.ok('SELECT INBOX')
  await client.ok('STORE 2 +X-GM-LABELS ("Work/My Shop")')
  const found: readonly (readonly [string, string])[] = [
    ['', '1 2 3 4'],
    ['from:shop', '2'],
    ['from:me', '1 3 4'],
    ['to:bob', '1 2 3 4'],
    ['cc:carla', '1'],
    ['bcc:dan', '1'],
    ['deliveredto:me@example.test', '1'],
    ['subject:dinner', '1 4'],
    ['subject:"the movies"', '1'],
    ['subject:(dinner movies)', '1'],
    ['subject:{invoice movies}', '1 2'],
    ['Subject:DINNER -movies', '4'],
    ['-subject:(dinner movies)', '2 3 4'],
    ['dinner movies OR invoice', '1'],
    ['invoice OR movies', '1 2'],
    ['invoice OR movies OR café', '1 2 3'],
    ['{invoice movies}', '1 2'],
    ['(invoice) OR (dinner -movies)', '2 4'],
    ['"secret word"', '1'],
    ['+secret AND word', '1'],
    ['list:dev.lists', '3'],
    ['rfc822msgid:Invoice@example.test', '2'],
    ['has:attachment', '3 4'],
    ['filename:pdf', '3'],
    ['filename:ÜBER.txt', '4'],
    ['-has:attachment', '1 2'],
    ['has:userlabels', '2'],
    ['has:nouserlabels', '1 3 4'],
    ['label:work-my-shop', '2'],
    ['label:"Work/My Shop"', '2'],
    ['label:inbox', '1 2 3 4'],
    ['in:inbox', '1 2 3 4'],
    ['in:anywhere', '1 2 3 4'],
    ['in:sent', ''],
    ['in:starred', '2'],
    ['is:unread', '2 3 4'],
    ['is:read', '1'],
    ['is:starred', '2'],
    ['is:important', '2'],
    ['is:muted', '3'],
    ['after:2021/06/15', '2 3 4'],
    ['after:2021-6-16', '3 4'],
    ['newer:06/16/2021', '3 4'],
    ['before:2021/06/15', '1'],
    ['older:2021/06/16', '1 2'],
    ['after:1623758399 before:1623758401', '2'],
    ['newer_than:2d', '4'],
    ['newer_than:3h', '4'],
    ['older_than:1y', '1 2 3'],
    ['older_than:6m', '1 2 3'],
    ['larger:10K', '2'],
    ['larger_than:1M', ''],
    ['smaller:10000', '1 3 4'],
    ['size:10000', '2'],
    ['unknown:operator', ''],
    ['"no end', ''],
  ]
  for (const [query, numbers] of found) {
    const bytes = Buffer.from(query)
    const text = `UID SEARCH CHARSET UTF-8 X-GM-RAW {${bytes.length}+}\r\n${bytes.toString('latin1')}`
    assert.deepEqual((await client.ok(text)).at(-1), `* SEARCH${numbers && ` ${numbers}`}`, query)
  }
  assert.deepEqual(await client.ok('SEARCH UNSEEN NOT X-GM-RAW "subject:\\"dinner\\""'), ['* SEARCH 2 3'])
  assert.deepEqual(await client.ok('SORT (SUBJECT) UTF-8 X-GM-RAW dinner'), ['* SORT 4 1'])
})

test("X-GM-RAW that can't be read is BAD, and says why", async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('SELECT INBOX')
  for (const query of [
    'holiday AROUND 10 vacation',
    'OR a',
    'a OR',
    'a OR )',
    '(a',
    'a)',
    '{a',
    '{}',
    'a}',
    '-',
    '- a',
    'from:',
    'is:purple',
    'has:drive',
    'after:yesterday',
    'after:2021/13/01',
    'after:2021/02/30',
    'newer_than:2',
    'older_than:x',
    'larger:big',
    'category:social',
    '('.repeat(60),
    '-'.repeat(60) + 'a',
  ]) {
    assert.match((await client.command(`SEARCH X-GM-RAW "${query}"`)).tagged, /^BAD/, query)
    await client.ok('NOOP')
  }
  assert.match((await client.command('SEARCH X-GM-RAW "a AROUND b"')).tagged, /AROUND/)
  assert.match((await client.command('SEARCH X-GM-RAW {3+}\r\na\r\n')).tagged, /^OK/)
  assert.match((await client.command('SEARCH X-GM-RAW {5+}\r\n"a\r\nb')).tagged, /^BAD/)
  // Its keys count as if they stood in the search.
  const many = 'a '.repeat(2600)
  assert.match((await client.command(`SEARCH X-GM-RAW "${many}"`)).tagged, /^BAD \[TOOBIG\]/)
  assert.match((await client.command('SEARCH X-GM-RAW')).tagged, /^BAD/)
})

test('no query of X-GM-RAW is a fault of the server', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('SELECT INBOX')
  const words = [
    'from:',
    'me',
    'a',
    '(',
    ')',
    '{',
    '}',
    '-',
    '+',
    'OR',
    'AND',
    'AROUND',
    '"',
    ' ',
    'label:',
    'in:',
    'is:',
    'unread',
    'has:',
    'attachment',
    'filename:',
    'after:',
    '2020/01/01',
    '1d',
    'larger:',
    '10M',
    '\\',
    'é',
    '\r\n',
    '\0',
  ]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...words), { maxLength: 12 }), async pieces => {
      const bytes = Buffer.from(pieces.join(''))
      const { tagged } = await client.command(
        `SEARCH X-GM-RAW {${bytes.length}+}\r\n${bytes.toString('latin1')}`,
      )
      assert.match(tagged, /^(?:OK|BAD)/)
      if (tagged.startsWith('BAD')) await client.ok('NOOP')
    }),
    { numRuns: 500 },
  )
})
