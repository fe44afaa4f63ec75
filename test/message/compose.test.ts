import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { composeMessage, type ComposeMessage, type ComposePart } from '../../src/message/compose.ts'
import { decodeCharset } from '../../src/message/charset.ts'
import { hasCrlfOnly } from '../../src/message/line-endings.ts'
import { findPart, unpackParts, type PartNode } from '../../src/message/sections.ts'
import { summarize } from '../../src/message/summary.ts'
import { fileName, headerText } from '../../src/message/text.ts'
import { decodeTransfer } from '../../src/message/transfer.ts'

function counter(): () => string {
  let count = 0
  return () => `boundary${count++}`
}

function compose(message: Partial<ComposeMessage>): Buffer {
  return composeMessage({ body: { kind: 'text', text: 'x' }, ...message }, counter())
}

function bodyBytes(bytes: Buffer, part: PartNode): Buffer {
  return decodeTransfer(bytes.subarray(part.bodyStart, part.bodyEnd), part.encoding)
}

test('a composed message is summed up to what it was composed of', () => {
  const bytes = compose({
    from: [{ name: 'Zoë "Z" Q.', address: 'zoe@a.example' }],
    to: [{ address: 'b@b.example' }, { name: 'C, D', address: 'c d@c.example' }],
    subject: 'Grüße — and a subject that is long enough to be folded at least once, surely',
    dateMs: Date.UTC(2024, 1, 29, 12),
    zoneMinutes: -330,
    messageId: 'id@a.example',
    references: ['r1@x', 'r2@x'],
    body: { kind: 'text', text: 'Hello, wörld\nsecond line' },
  })
  const summary = summarize(bytes)
  assert(hasCrlfOnly(bytes))
  assert.equal(summary.from.display, 'Zoë "Z" Q.')
  assert.equal(
    summary.subject,
    'Grüße — and a subject that is long enough to be folded at least once, surely',
  )
  assert.equal(summary.sentAt, Date.UTC(2024, 1, 29, 12))
  assert.equal(summary.sentZoneMinutes, -330)
  assert.equal(summary.messageId, 'id@a.example')
  assert.deepEqual(summary.references, ['r1@x', 'r2@x'])
  assert.equal(summary.preview, 'Hello, wörld second line')
  assert.match(
    summary.envelope.toString(),
    /\(\(NIL NIL "b" "b\.example"\)\("C, D" NIL "c d" "c\.example"\)\)/,
  )
  for (const line of bytes.toString('latin1').split('\r\n')) assert(line.length <= 78, line)
})

test('a delivery report is a multipart/report (RFC 6522, RFC 3464)', () => {
  const original = Buffer.from('From: a@b.example\r\nSubject: x\r\n\r\n')
  const bytes = compose({
    subject: 'Undelivered mail',
    fields: [['Auto-Submitted', 'auto-replied']],
    body: {
      kind: 'multipart',
      subtype: 'report',
      params: [['report-type', 'delivery-status']],
      parts: [
        { kind: 'text', text: 'It could not be delivered.' },
        {
          kind: 'status',
          type: 'message/delivery-status',
          groups: [
            [['Reporting-MTA', 'dns; mx.example']],
            [
              ['Final-Recipient', 'rfc822; x@y.example'],
              ['Action', 'failed'],
              ['Status', '5.1.1'],
            ],
          ],
        },
        { kind: 'message', type: 'text/rfc822-headers', bytes: original },
      ],
    },
  })
  const tree = unpackParts(summarize(bytes).parts)
  assert.deepEqual(
    tree.children.map(part => `${part.type}/${part.subtype}`),
    ['text/plain', 'message/delivery-status', 'text/rfc822-headers'],
  )
  const [, status, headers] = tree.children
  assert.equal(
    bytes.toString('latin1', status?.bodyStart, status?.bodyEnd),
    'Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; x@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n',
  )
  assert.equal(Buffer.compare(bytes.subarray(headers?.bodyStart, headers?.bodyEnd), original), 0)
  assert.equal(headerText(bytes, 'auto-submitted'), 'auto-replied')
})

for (const evil of ['a\r\nBcc: x@y', 'a\nb', 'a\rb', 'a\0b']) {
  test(`a value with ${JSON.stringify(evil)} is refused in every field`, () => {
    const bad: Partial<ComposeMessage>[] = [
      { subject: evil },
      { from: [{ name: evil, address: 'a@b' }] },
      { from: [{ address: evil }] },
      { from: [{ address: `${evil}@b` }] },
      { to: [{ address: `a@${evil}` }] },
      { messageId: evil },
      { references: [evil] },
      { fields: [['X', evil]] },
      { fields: [[evil, 'x']] },
      { body: { kind: 'text', text: '', disposition: { type: 'attachment', fileName: evil } } },
      { body: { kind: 'text', text: '', description: evil } },
      { body: { kind: 'text', text: '', id: evil } },
      { body: { kind: 'text', text: '', subtype: evil } },
      { body: { kind: 'bytes', type: evil, bytes: Buffer.alloc(0) } },
      { body: { kind: 'status', type: 'message/delivery-status', groups: [[['X', evil]]] } },
      {
        body: {
          kind: 'multipart',
          subtype: 'mixed',
          params: [['a', evil]],
          parts: [{ kind: 'text', text: '' }],
        },
      },
    ]
    for (const message of bad) assert.throws(() => compose(message), TypeError, JSON.stringify(message))
  })
}

test('a boundary does not stand in what it separates', () => {
  let calls = 0
  const random = (): string => (calls++ === 0 ? 'same' : 'other')
  const bytes = composeMessage(
    { body: { kind: 'multipart', subtype: 'mixed', parts: [{ kind: 'text', text: '--=_same' }] } },
    random,
  )
  assert.equal(calls, 2)
  assert.equal(unpackParts(summarize(bytes).parts).children.length, 1)
})

const leaf = fc.oneof(
  fc.record({ kind: fc.constant('text' as const), text: fc.string({ unit: 'grapheme', maxLength: 200 }) }),
  fc.record({
    kind: fc.constant('bytes' as const),
    type: fc.constantFrom('application/octet-stream', 'image/png'),
    bytes: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
    disposition: fc.record({
      type: fc.constant('attachment' as const),
      fileName: fc.string({ unit: 'grapheme', maxLength: 80 }).filter(name => !/[\r\n\0]/.test(name)),
    }),
  }),
)
const { part } = fc.letrec<{ part: ComposePart; multipart: ComposePart }>(tie => ({
  part: fc.oneof({ maxDepth: 4, withCrossShrink: true }, leaf, tie('multipart')),
  multipart: fc.record({
    kind: fc.constant('multipart' as const),
    subtype: fc.constantFrom('mixed', 'alternative', 'related'),
    parts: fc.array(tie('part'), { minLength: 1, maxLength: 4 }),
  }),
}))

function checkPart(bytes: Buffer, composed: ComposePart, parsed: PartNode): void {
  switch (composed.kind) {
    case 'multipart':
      assert.equal(parsed.type, 'multipart')
      assert.equal(parsed.children.length, composed.parts.length)
      for (const [index, child] of composed.parts.entries())
        checkPart(bytes, child, parsed.children[index] as PartNode)
      return
    case 'text':
      assert.equal(
        decodeCharset(bodyBytes(bytes, parsed), parsed.charset),
        composed.text.replaceAll(/\r\n|\r|\n/g, '\r\n'),
      )
      return
    case 'bytes':
      assert.equal(Buffer.compare(bodyBytes(bytes, parsed), composed.bytes), 0)
      assert.equal(fileName(bytes, parsed), composed.disposition?.fileName)
      return
    case 'message':
    case 'status':
  }
}

test('whatever is composed is parsed to the same parts, texts, bytes and names', () => {
  fc.assert(
    fc.property(part, body => {
      const bytes = compose({ body })
      assert(hasCrlfOnly(bytes))
      const tree = unpackParts(summarize(bytes).parts)
      assert.equal(findPart(tree, []), tree)
      checkPart(bytes, body, tree)
    }),
    { numRuns: 300 },
  )
})

test('any subject is read back, but for white space in a row', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 200 }).filter(text => !/[\r\n\0]/.test(text)),
      subject => {
        assert.equal(headerText(compose({ subject }), 'Subject')?.trim(), subject.trim())
      },
    ),
    { numRuns: 500 },
  )
})
