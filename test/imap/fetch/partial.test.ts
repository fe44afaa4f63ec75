import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../../src/base/limits.ts'
import { message } from '../harness.ts'
import { openInbox, valueOf } from './mailbox.ts'

const parts = [
  'From: a@example.org',
  'Subject: parts',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'caf=C3=A9 =',
  'soft',
  '--b',
  'Content-Transfer-Encoding: base64',
  'Content-Type: application/octet-stream',
  '',
  Buffer.from(Array.from({ length: 300 }, (_, at) => (at * 7) & 0xff))
    .toString('base64')
    .replace(/(.{60})/g, '$1\r\n'),
  '--b--',
  '',
].join('\r\n')

const items = [
  'BODY[]',
  'BODY[HEADER]',
  'BODY[TEXT]',
  'BODY[1]',
  'BODY[2]',
  'BODY[1.MIME]',
  'BODY[HEADER.FIELDS (subject)]',
  'BODY[HEADER.FIELDS.NOT (subject)]',
  'BINARY[1]',
  'BINARY[2]',
  'BINARY[]',
]

test('a partial is the slice of the whole (RFC 9051 §6.4.5)', async t => {
  const { imap } = await openInbox(t, [parts])
  const whole = new Map<string, string>()
  const peek = (item: string) => item.replace('[', '.PEEK[')
  for (const item of items)
    whole.set(item, valueOf(String(await imap.ok(`FETCH 1 ${peek(item)}`)), item) ?? '')
  assert.equal(whole.get('BODY[]'), parts)
  assert.equal(whole.get('BINARY[1]'), 'caf\xc3\xa9 soft')
  const partial = fc.record({
    item: fc.constantFrom(...items),
    offset: fc.nat(800),
    count: fc.integer({ min: 1, max: 900 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(partial, {
        minLength: 1,
        maxLength: 6,
        selector: ({ item, offset }) => `${item} ${offset}`,
      }),
      async list => {
        const [line = ''] = await imap.ok(
          `FETCH 1 (${list.map(({ item, offset, count }) => `${peek(item)}<${offset}.${count}>`).join(' ')})`,
        )
        for (const { item, offset, count } of list) {
          assert.equal(
            valueOf(line, `${item}<${offset}>`),
            whole.get(item)?.slice(offset, offset + count),
            `${item}<${offset}.${count}>`,
          )
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('a message larger than a piece is streamed, whole, in sections and in partials, among small ones', async t => {
  const size = limits.imap.pieceBytes * 3 + 777
  const body = Buffer.alloc(size, 'The quick brown fox jumps over the lazy dog.\r\n').toString('latin1')
  const large = message('large', body)
  const { imap } = await openInbox(t, [message('before'), large, message('after')])
  const lines = await imap.ok(
    'FETCH 1:3 (UID BODY.PEEK[] BODY.PEEK[TEXT] BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (SUBJECT)])',
  )
  assert.deepEqual(
    lines.map(line => valueOf(line, 'BODY[]')),
    [message('before'), large, message('after')],
  )
  assert.deepEqual(
    lines.map(line => valueOf(line, 'BODY[TEXT]')),
    ['Hello.\r\n', body, 'Hello.\r\n'],
  )
  assert.deepEqual(
    lines.map(line => valueOf(line, 'BODY[HEADER.FIELDS (SUBJECT)]')),
    ['before', 'large', 'after'].map(name => `Subject: ${name}\r\n\r\n`),
  )
  const cuts = [
    0,
    1,
    limits.imap.pieceBytes - 1,
    limits.imap.pieceBytes,
    limits.imap.pieceBytes + 1,
    size - 1,
    size,
    large.length,
  ]
  for (const offset of cuts) {
    for (const count of [1, limits.imap.pieceBytes, limits.imap.pieceBytes + 1, size]) {
      const [line = ''] = await imap.ok(`FETCH 2 BODY.PEEK[]<${offset}.${count}>`)
      assert.ok(
        valueOf(line, `BODY[]<${offset}>`) === large.slice(offset, offset + count),
        `<${offset}.${count}>`,
      )
    }
  }
})

test('a client that stops reading gets everything later, and holds nobody up (CVE-2025-59028)', async t => {
  const body = Buffer.alloc(4 * 1024 * 1024, `${'x'.repeat(76)}\r\n`).toString('latin1')
  const large = message('large', body)
  const server = await openInbox(t, [large, large, large, large])
  const { imap } = server
  const other = await server.client()
  imap.socket.pause()
  imap.send('s FETCH 1:4 BODY.PEEK[]\r\n')
  for (let at = 0; at < 50; at++) await other.ok('NOOP')
  imap.socket.resume()
  const { untagged, status } = await imap.answer('s')
  assert.equal(status, 'OK')
  assert.equal(untagged.length, 4)
  assert.ok(untagged.every(line => valueOf(line, 'BODY[]') === large))
})
