import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeMailboxName, decodeModifiedUtf7, encodeModifiedUtf7 } from '../../src/imap/mailbox-name.ts'

test('modified UTF-7 gives the example of RFC 3501 §5.1.3', () => {
  assert.equal(encodeModifiedUtf7('~peter/mail/台北/日本語'), '~peter/mail/&U,BTFw-/&ZeVnLIqe-')
  assert.equal(decodeModifiedUtf7('~peter/mail/&U,BTFw-/&ZeVnLIqe-'), '~peter/mail/台北/日本語')
})

test('modified UTF-7 writes & as &-', () => {
  assert.equal(encodeModifiedUtf7('Rock & Roll'), 'Rock &- Roll')
  assert.equal(decodeModifiedUtf7('Rock &- Roll'), 'Rock & Roll')
})

test('modified UTF-7 takes any name there and back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), name => {
      assert.equal(decodeModifiedUtf7(encodeModifiedUtf7(name)), name)
    }),
  )
})

test('what is sent is ASCII, whatever the name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), name => {
      assert.match(encodeModifiedUtf7(name), /^[\x20-\x7e]*$/)
    }),
  )
})

test('broken modified UTF-7 is refused', () => {
  for (const wire of ['&', '&U', '&U,BTFw', '&!!!-', '&AA-', '&AAA=-']) {
    assert.equal(decodeModifiedUtf7(wire), undefined, wire)
  }
})

test('a printable character can not hide in base64, so no ../ and no slash does', () => {
  // U+002E U+002E U+002F
  const hidden = `&${Buffer.from('../', 'utf16le').swap16().toString('base64').replace(/=+$/, '')}-`
  assert.equal(decodeModifiedUtf7(hidden), undefined)
  assert.throws(() => decodeMailboxName(hidden, false), { status: 'NO', code: 'CANNOT' })
})

test('any bytes are a name or are refused', () => {
  fc.assert(
    fc.property(fc.string(), wire => {
      const name = decodeModifiedUtf7(wire)
      assert.ok(name === undefined || typeof name === 'string')
    }),
  )
})

test('a client that speaks UTF-8 means & as it stands', () => {
  assert.equal(decodeMailboxName('A&B', true), 'A&B')
})
