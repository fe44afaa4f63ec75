import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { composeReport, type ReportEntry, type ReportSource } from '../../src/delivery/report-message.ts'
import { fieldValues } from '../../src/message/header.ts'
import { parseMessage } from '../../src/message/part.ts'

const options = { hostname: 'mx.example.org', atMs: 0, id: 'r1', returnedBytes: 1000 }
const source: ReportSource = {
  mailFrom: 'ann@example.org',
  envelopeId: undefined,
  arrivedAt: 0,
  original: Buffer.from('Subject: x\r\n\r\nbody\r\n'),
  ret: undefined,
}
const entry: ReportEntry = { address: 'eve@example.net', originalRecipient: undefined, status: '5.1.1' }

/** The three parts as text. */
function partsOf(report: Buffer): string[] {
  const root = parseMessage(report)
  assert.equal(`${root.type}/${root.subtype}`, 'multipart/report')
  return root.children.map(part => report.toString('utf8', part.headerStart, part.bodyEnd))
}

test('a report has a text, a status and the message (RFC 6522)', () => {
  const [text, status, message, ...more] = partsOf(composeReport(options, 'failed', source, [entry]))
  assert.equal(more.length, 0)
  assert.match(text ?? '', /could not be delivered to:\r\n\r\n {2}<eve@example\.net>/)
  assert.match(
    status ?? '',
    /^Content-Type: message\/delivery-status\r\n\r\nReporting-MTA: dns; mx\.example\.org\r\n/,
  )
  assert.match(message ?? '', /^Content-Type: message\/rfc822\r\n\r\nSubject: x\r\n\r\nbody/)
})

test('the body of the message is returned for failures only, up to a size, and not when HDRS was asked for', () => {
  const large = { ...source, original: Buffer.concat([source.original, Buffer.alloc(1000, 'x')]) }
  for (const report of [
    composeReport(options, 'delayed', source, [entry]),
    composeReport(options, 'failed', { ...source, ret: 'HDRS' }, [entry]),
    composeReport(options, 'failed', large, [entry]),
  ])
    assert.equal(partsOf(report)[2]?.trimEnd(), 'Content-Type: text/rfc822-headers\r\n\r\nSubject: x')
})

test('internationalized addresses are told in ASCII (RFC 6533 §3)', () => {
  const [text, status] = partsOf(
    composeReport(options, 'failed', source, [{ ...entry, address: 'j\u00f6rg@b\u00fccher.example' }]),
  )
  assert.match(status ?? '', /\r\nFinal-Recipient: utf-8; j\\x\{F6\}rg@b\\x\{FC\}cher\.example\r\n/)
  assert.match(text ?? '', /j=C3=B6rg/)
})

test('property: whatever a server said, the report has three parts and no field that we did not write', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 300 }),
      (text, host, original) => {
        const hostile = { ...entry, diagnostic: `550 ${text}\r\nAction: delivered`, remoteHost: host }
        const report = composeReport(
          options,
          'failed',
          { ...source, original: Buffer.from(original), envelopeId: 'e' },
          [hostile],
        )
        const [, status = ''] = partsOf(report)
        assert.equal(status.split('\r\nAction: ').length, 2)
        assert.deepEqual(fieldValues(report, 'to'), ['ann@example.org'])
        assert.deepEqual(fieldValues(report, 'auto-submitted'), ['auto-replied'])
      },
    ),
  )
})

test('a message that holds a boundary of ours does not end its part', () => {
  const first = composeReport(options, 'failed', source, [entry])
  const boundary = /boundary="([^"]+)"/.exec(first.toString())?.[1]
  const nested = { ...source, original: Buffer.from(`Subject: x\r\n\r\n--${boundary}\r\n\r\nevil\r\n`) }
  assert.equal(partsOf(composeReport(options, 'failed', nested, [entry])).length, 3)
})
