import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { bodyOf } from '../../src/message/body.ts'
import { composeMessage } from '../../src/message/compose.ts'
import { parseMessage } from '../../src/message/part.ts'
import { unpackParts } from '../../src/message/sections.ts'
import { summarize, summarizeInSteps } from '../../src/message/summary.ts'
import { bodyText } from '../../src/message/text.ts'
import { sharedFolder } from '../shared.ts'
import { readWire } from './wire.ts'

function message(...lines: string[]): Buffer {
  return Buffer.from(lines.join('\r\n'), 'utf8')
}

const sample = message(
  'Date: Tue, 5 Mar 2024 10:11:12 +0100',
  'From: =?utf-8?q?Andr=C3=A9?= Pirard <PIRARD@vm1.example>, x@y.example',
  'To: Friends: "Bob" <bob@b.example>;',
  'Cc: carol@c.example',
  'Subject: Re: [list]  =?utf-8?q?caf=C3=A9?=',
  'Message-ID: <m1@vm1.example>',
  'References: <a@b> <c@d>',
  '',
  'Hello\t there,',
  '',
  'world.',
)

test('a summary says when, who, what and in answer to what', () => {
  const summary = summarize(sample)
  assert.equal(summary.sizeBytes, sample.length)
  assert.equal(summary.headerBytes, sample.indexOf('\r\n\r\n') + 4)
  assert.equal(summary.sentAt, Date.UTC(2024, 2, 5, 9, 11, 12))
  assert.equal(summary.sentZoneMinutes, 60)
  assert.deepEqual(summary.from, {
    mailbox: 'PIRARD',
    display: 'André Pirard',
    address: 'PIRARD@vm1.example',
  })
  assert.deepEqual(summary.to, { mailbox: 'Friends', display: 'Friends', address: '' })
  assert.deepEqual(summary.cc, { mailbox: 'carol', display: 'carol@c.example', address: 'carol@c.example' })
  assert.equal(summary.subject, 'Re: [list] café')
  assert.equal(summary.baseSubject, 'café')
  assert.equal(summary.isReply, true)
  assert.equal(summary.messageId, 'm1@vm1.example')
  assert.deepEqual(summary.references, ['a@b', 'c@d'])
  assert.equal(summary.preview, 'Hello there, world.')
  assert.equal(summary.hasAttachment, false)
})

test('encoded words in an address are not decoded: they would show another address (RFC 2047 §5)', () => {
  const { from } = summarize(
    message('From: =?utf-8?q?boss=40bank.example?= <=?utf-8?q?boss=40bank.example?=@evil.example>', '', ''),
  )
  assert.deepEqual(from, {
    mailbox: '=?utf-8?q?boss=40bank.example?=',
    display: 'boss@bank.example',
    address: '=?utf-8?q?boss=40bank.example?=@evil.example',
  })
})

test('several From fields are one list, whose first address is the sender everywhere', () => {
  const bytes = message('From: a@one.example', 'Subject: x', 'From: b@two.example', '', '')
  const { envelope, from } = summarize(bytes)
  assert.equal(from.address, 'a@one.example')
  assert.match(envelope.toString(), /\(\(NIL NIL "a" "one\.example"\)\(NIL NIL "b" "two\.example"\)\)/)
})

test('an ENVELOPE has NIL for what is missing, and From for Sender and Reply-To (RFC 9051 §7.5.2)', () => {
  const summary = summarize(message('From: a@b.example', 'Sender: ', '', ''))
  const from = '((NIL NIL "a" "b.example"))'
  assert.equal(summary.envelope.toString(), `(NIL NIL ${from} ${from} ${from} NIL NIL NIL NIL NIL)`)
  assert.equal(
    summary.bodyStructure.toString(),
    '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)',
  )
})

test('8-bit goes to the wire as a literal, quotes and backslashes are escaped', () => {
  const summary = summarize(message('Subject: é', 'From: "a\\"b\\\\c" <x@y.example>', '', ''))
  assert.match(
    summary.envelope.toString('latin1'),
    /^\(NIL \{2\}\r\n\xc3\xa9 \(\("a\\"b\\\\c" NIL "x" "y\.example"\)\)/,
  )
})

test('NUL in a field does not reach the wire', () => {
  const { envelope } = summarize(Buffer.from('Subject: a\0b\r\nFrom: \0 <\0@\0>\r\n\r\n\0'))
  assert(!envelope.includes(0))
  readWire(envelope.toString('latin1'))
})

test('the preview is the plain text, else the HTML without its tags, in at most 200 characters (RFC 8970 §3.1)', () => {
  const html = 'Content-Type: text/html; charset=utf-8'
  assert.equal(
    summarize(message(html, '', '<style>x</style><p>Hé&nbsp;llo</p>\u200b\u200c<p>you</p>')).preview,
    'Hé llo you',
  )
  assert.equal(summarize(message('', '😀'.repeat(300))).preview, '😀'.repeat(200))
  assert.equal(summarize(message('', 'a'.repeat(200))).preview.length, 200)
  assert.equal(summarize(message('', `${'a'.repeat(199)} b`)).preview, 'a'.repeat(199))
  assert.equal(summarize(message('Content-Type: image/png', '', 'xx')).preview, '')
  const both = message(
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    html,
    '',
    '<b>html</b>',
    '--b',
    'Content-Type: text/plain',
    'Content-Transfer-Encoding: base64',
    '',
    'cGxhaW4=',
    '--b--',
  )
  assert.equal(summarize(both).preview, 'plain')
})

test('attachments are what a reader is shown as such', () => {
  const has = (...fields: string[]) =>
    summarize(
      message(
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        '',
        'text',
        '--b',
        ...fields,
        '',
        'x',
        '--b--',
      ),
    ).hasAttachment
  assert(has('Content-Type: application/pdf'))
  assert(has('Content-Type: text/plain', 'Content-Disposition: attachment'))
  assert(has('Content-Type: text/csv; name=a.csv'))
  assert(has('Content-Type: message/rfc822'))
  assert(!has('Content-Type: text/html'))
  assert(!has('Content-Type: application/pgp-signature; name=s.asc'))
  assert(!has('Content-Type: image/png', 'Content-ID: <x@y>', 'Content-Disposition: inline'))
  const related = message(
    'Content-Type: multipart/related; boundary=b',
    '',
    '--b',
    'Content-Type: text/html',
    '',
    '',
    '--b',
    'Content-Type: image/png',
    'Content-ID: <x@y>',
    '',
    '',
    '--b--',
  )
  assert(!summarize(related).hasAttachment)
})

test('names that are properties of objects are harmless everywhere', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const bytes = message(
      `${name}: x`,
      `Content-Type: ${name}/${name}; ${name}=1; charset=${name}`,
      `Content-Transfer-Encoding: ${name}`,
      `Content-Disposition: ${name}; ${name}*0=x; ${name}*1=y`,
      `Subject: =?${name}?q?x?=`,
      `From: ${name} <${name}@${name}>`,
      '',
      name,
    )
    const summary = summarize(bytes)
    assert.equal(summary.subject, 'x')
    assert.equal(summary.from.address, `${name}@${name}`)
    assert.equal(unpackParts(summary.parts).type, name.toLowerCase())
    readWire(summary.bodyStructure.toString('latin1'))
    readWire(bodyOf(summary.bodyStructure).toString('latin1'))
  }
  assert.equal(Object.getPrototypeOf({}), Object.prototype)
})

test('a message inside one that is not looked into still has the form of one', () => {
  const bytes = message(
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: message/rfc822',
    '--b--',
  )
  const { bodyStructure } = summarize(bytes)
  assert.match(
    bodyStructure.toString(),
    /"message" "rfc822" NIL NIL NIL "7bit" 0 \((?:NIL ?){10}\) \("text" "plain"/,
  )
  readWire(bodyStructure.toString('latin1'))
})

function checkSummary(bytes: Buffer): void {
  const summary = summarize(bytes)
  readWire(summary.envelope.toString('latin1'))
  readWire(summary.bodyStructure.toString('latin1'))
  assert.equal(bodyOf(summary.bodyStructure).toString('latin1').length <= summary.bodyStructure.length, true)
  const tree = unpackParts(summary.parts)
  for (const text of bodyText(bytes, tree)) assert.equal(typeof text, 'string')
  assert(Array.from(summary.preview).length <= 200)
  structuredClone(summary)
}

test('any bytes are summed up to valid wire forms', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), bytes => checkSummary(Buffer.from(bytes))),
    { numRuns: 1000 },
  )
})

test('mutated corpus messages are summed up to valid wire forms', t => {
  if (sharedFolder === undefined) return t.skip('not here')
  const folder = join(sharedFolder, 'corpus', 'eml')
  const messages = readdirSync(folder)
    .sort()
    .map(file => readFileSync(join(folder, file)))
    .filter(bytes => bytes.length < 20_000)
  const hostile = fc.constantFrom(
    '\0',
    '\r',
    '\n',
    '"',
    '(',
    ')',
    '<',
    '\\',
    '=?',
    '--',
    ';',
    '*0*=',
    '\xff',
    ':',
    '\r\n\r\n',
    '',
  )
  const mutation = fc.tuple(fc.nat(), fc.nat({ max: 30 }), hostile)
  fc.assert(
    fc.property(
      fc.nat({ max: messages.length - 1 }),
      fc.array(mutation, { minLength: 1, maxLength: 8 }),
      (index, mutations) => {
        let bytes = messages[index] ?? Buffer.alloc(0)
        for (const [position, length, insert] of mutations) {
          const at = bytes.length === 0 ? 0 : position % bytes.length
          bytes = Buffer.concat([
            bytes.subarray(0, at),
            Buffer.from(insert, 'latin1'),
            bytes.subarray(at + length),
          ])
        }
        checkSummary(bytes)
      },
    ),
    { numRuns: 1500 },
  )
})

test('a large attachment is not decoded for a summary', () => {
  const body = Buffer.alloc(30_000_000, `${'A'.repeat(76)}\r\n`)
  const bytes = composeMessage(
    {
      subject: 's',
      body: {
        kind: 'multipart',
        subtype: 'mixed',
        parts: [
          { kind: 'text', text: 'hi' },
          { kind: 'bytes', type: 'application/pdf', bytes: body },
        ],
      },
    },
    () => 'x',
  )
  const start = performance.now()
  const summary = summarize(bytes)
  assert(performance.now() - start < 500)
  assert.equal(summary.preview, 'hi')
  assert.equal(parseMessage(bytes).children.length, 2)
})

test('a large message is summed up in steps, between which others run, with the same result', async () => {
  const head =
    'Content-Type: multipart/mixed; boundary=yyyy\r\n\r\n--yyyy\r\nContent-Type: text/plain\r\n\r\n'
  const lines = [`--yyyz\r\n`, `${'x'.repeat(70)}\r\n`, '\r\n']
  for (const line of lines) {
    const bytes = Buffer.concat([
      Buffer.from(head),
      Buffer.alloc(4_000_000, line),
      Buffer.from('\r\n--yyyy--\r\n'),
    ])
    let others = 0
    let isDone = false
    const count = () => {
      others++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    const summary = await summarizeInSteps(bytes)
    isDone = true
    assert.ok(others >= 10, `${others} turns`)
    assert.deepEqual(summary, summarize(bytes))
  }
  assert.deepEqual(await summarizeInSteps(sample), summarize(sample))
})
