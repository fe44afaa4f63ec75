import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeMessage } from '../../src/message/compose.ts'
import { unpackParts } from '../../src/message/sections.ts'
import { summarize } from '../../src/message/summary.ts'
import { bodyText, headerLines, headerText } from '../../src/message/text.ts'

const inner = composeMessage(
  { subject: 'Innerer Gruß', body: { kind: 'text', text: 'innermost wörds' } },
  () => 'i',
)
const bytes = composeMessage(
  {
    subject: 'Größe',
    body: {
      kind: 'multipart',
      subtype: 'mixed',
      parts: [
        { kind: 'text', text: 'first pärt' },
        { kind: 'text', subtype: 'html', text: '<p class="hidden">sec<b>ond</b> &amp; last</p>' },
        {
          kind: 'bytes',
          type: 'application/pdf',
          bytes: Buffer.from('secret'),
          disposition: { type: 'attachment', fileName: 'Übersicht.pdf' },
        },
        { kind: 'message', bytes: inner },
      ],
    },
  },
  () => 'o',
)

test('header text is decoded, and missing fields are told from empty ones (RFC 9051 §6.4.4)', () => {
  assert.equal(headerText(bytes, 'SUBJECT'), 'Größe')
  assert.equal(headerText(bytes, 'X-None'), undefined)
  assert.equal(headerText(Buffer.from('X: \r\nx: b\r\n\r\nX: c'), 'x'), '\nb')
  assert.equal(headerText(bytes, '__proto__'), undefined)
  assert.match(headerLines(bytes), /^Subject: Größe\nMIME-Version: 1\.0\n/)
})

test('body text is every text decoded, of HTML what is read, headers of messages inside, names of files', () => {
  const text = [...bodyText(bytes, unpackParts(summarize(bytes).parts))].join('\n')
  for (const words of [
    'first pärt',
    'second & last',
    'Übersicht.pdf',
    'Subject: Innerer Gruß',
    'innermost wörds',
  ]) {
    assert(text.includes(words), words)
  }
  for (const words of ['hidden', 'secret', 'Größe']) assert(!text.includes(words), words)
})
