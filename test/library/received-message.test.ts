import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findLinks } from '../../src/library/links.ts'
import { findCodes } from '../../src/library/one-time-codes.ts'
import { readMessage } from '../../src/library/received-message.ts'
import { noFlags } from '../../src/store/flags.ts'

const place = { mailbox: 'INBOX', uid: 1, flags: noFlags, receivedAt: 0 }

test('codes are found as people write them', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['Your verification code is 123456.', ['123456']],
    ['Your code: 123 456', ['123456']],
    ['Code: 12-34-56 is yours', ['123456']],
    ['G-482913 is your Google verification code', ['482913']],
    ['Enter this code:\n\n7FQ-2KD\n\nIt ends in 10 minutes.', ['7FQ-2KD']],
    ['Your PIN is 0042', ['0042']],
    ['The code is A1B2C3', ['A1B2C3']],
    ['Your order 4711 of 2026 was sent.', []],
    ['Open https://x.example/code/123456 to confirm', []],
    ['您的验证码是 884422，请勿泄露', ['884422']],
  ]
  for (const [text, codes] of cases)
    assert.deepEqual(findCodes('', text).slice(0, Math.max(1, codes.length)), codes, text)
})

test('the likeliest code comes first', () => {
  const text = 'Order 20261123.\nYour one-time code:\n\n998877\n\nCall 555123 if it was not you.'
  assert.equal(findCodes('', text)[0], '998877')
})

test('links keep their brackets and lose the punctuation of the sentence', () => {
  const urls = (text: string) => findLinks(undefined, text).map(({ url }) => url)
  assert.deepEqual(urls('See https://a.example/x_(y).'), ['https://a.example/x_(y)'])
  assert.deepEqual(urls('(https://a.example/x)'), ['https://a.example/x'])
  assert.deepEqual(urls('<https://a.example/?a=1&b=2>'), ['https://a.example/?a=1&b=2'])
  assert.deepEqual(urls('https://a.example https://a.example'), ['https://a.example'])
})

test('links of HTML are decoded, in any way of quoting', () => {
  const html = `<A class=x HREF='/a?x=1&amp;y=2'>One <b>two</b></A><a href=/b>B</a><abbr href="/no">x</abbr><a data-href="/no" name=y>z</a><a href="#top">top</a>`
  assert.deepEqual(findLinks(html, ''), [
    { url: '/a?x=1&y=2', text: 'One two' },
    { url: '/b', text: 'B' },
  ])
})

test('a message of HTML only has a text', () => {
  const message = readMessage(Buffer.from('Content-Type: text/html\r\n\r\n<p>Hello <b>you</b></p>'), place)
  assert.match(message.text, /Hello you/)
})

test('a forwarded message is an attachment, not part of the text', () => {
  const raw =
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nouter\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner\r\n--b--\r\n'
  const message = readMessage(Buffer.from(raw), place)
  assert.equal(message.text.trim(), 'outer')
  assert.deepEqual(
    message.attachments.map(({ contentType }) => contentType),
    ['message/rfc822'],
  )
})

test('any bytes are read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), bytes => {
      readMessage(Buffer.from(bytes), place)
    }),
    { numRuns: 300 },
  )
})

test('a megabyte that is made to be slow is read in a moment', () => {
  const texts = [
    '<a '.repeat(300_000),
    `code ${'1'.repeat(1_000_000)}`,
    `code ${'12 '.repeat(300_000)}`,
    `code ${'A-'.repeat(500_000)}`,
    'https://'.repeat(120_000),
  ]
  for (const text of texts) {
    const startedAt = performance.now()
    readMessage(Buffer.from(`Content-Type: text/html\r\n\r\n${text}`), place)
    readMessage(Buffer.from(`Subject: code\r\n\r\n${text}`), place)
    assert.ok(performance.now() - startedAt < 5000, text.slice(0, 20))
  }
})
