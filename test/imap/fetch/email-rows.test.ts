import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf } from '../../../src/message/body.ts'
import { summarize } from '../../../src/message/summary.ts'
import { openInbox } from './mailbox.ts'

test('ENVELOPE, BODYSTRUCTURE and BODY go out byte for byte, whatever bytes the header holds', async t => {
  const subjects = [
    'plain',
    'caf\xe9 in Latin-1',
    Buffer.from('café in UTF-8').toString('latin1'),
    'a byte that begins nothing: \x80',
    'the end of a sequence is missing: \xf0\x9f\x98',
    'plain again',
  ]
  const messages = subjects.map(
    subject =>
      `Subject: ${subject}\r\nContent-Type: text/plain; name="${subject.replaceAll(/[: ]/g, '')}"\r\n\r\nx\r\n`,
  )
  const { imap } = await openInbox(t, messages)
  const lines = await imap.ok('FETCH 1:* (ENVELOPE BODYSTRUCTURE BODY)')
  assert.equal(lines.length, messages.length)
  for (const [index, line] of lines.entries()) {
    const { envelope, bodyStructure } = summarize(Buffer.from(messages[index] as string, 'latin1'))
    const expected = [
      `ENVELOPE ${Buffer.from(envelope).toString('latin1')}`,
      `BODYSTRUCTURE ${Buffer.from(bodyStructure).toString('latin1')}`,
      `BODY ${bodyOf(bodyStructure).toString('latin1')}`,
    ].join(' ')
    assert.equal(line, `* ${index + 1} FETCH (${expected})`)
  }
})
