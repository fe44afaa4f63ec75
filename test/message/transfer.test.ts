import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeTransfer, isEncodingKnown } from '../../src/message/transfer.ts'
import { bodyKind, encodeBase64, encodeQuotedPrintable } from '../../src/message/transfer-encode.ts'

function decode(text: string, encoding: string): string {
  return decodeTransfer(Buffer.from(text, 'latin1'), encoding).toString('latin1')
}

test('base64 in lines, with what does not belong skipped (RFC 2045 §6.8)', () => {
  assert.equal(decode('SGVs\r\nbG8=\r\n', 'base64'), 'Hello')
  assert.equal(decode('SG*Vs bG8', 'base64'), 'Hello')
  assert.equal(decode('SGVsbG8=SGVsbG8=\r\n', 'base64'), 'HelloHello')
  assert.equal(decode('', 'base64'), '')
  assert.equal(decode('====', 'base64'), '')
})

test('quoted-printable: escapes, soft line ends, space at line ends (RFC 2045 §6.7)', () => {
  assert.equal(decode('a=3Db=\r\nc', 'quoted-printable'), 'a=bc')
  assert.equal(decode('a=3db= \t\r\nc', 'quoted-printable'), 'a=bc')
  assert.equal(decode('a  \t\r\nb ', 'quoted-printable'), 'a\r\nb')
  assert.equal(decode('a b\n c', 'quoted-printable'), 'a b\n c')
  assert.equal(decode('=zz=4 =', 'quoted-printable'), '=zz=4 ')
})

test('uuencode', () => {
  assert.equal(decode('begin 644 x\r\n#0V%T\r\n`\r\nend\r\n', 'x-uuencode'), 'Cat')
  assert.equal(decode('words\r\nbegin 644 x\r\n#0V%T\r\nend\r\n', 'uuencode'), 'Cat')
  assert.equal(decode('no begin', 'uuencode'), 'no begin')
})

test('7bit, 8bit, binary and what nobody knows are the same Buffer', () => {
  const bytes = Buffer.from('=41')
  for (const encoding of ['7bit', '8bit', 'binary', 'x-nobody', '__proto__'])
    assert.equal(decodeTransfer(bytes, encoding), bytes)
  assert(
    isEncodingKnown('binary') &&
      isEncodingKnown('base64') &&
      !isEncodingKnown('x-nobody') &&
      !isEncodingKnown('constructor'),
  )
})

test('what is encoded is decoded to the same bytes, in lines of at most 76', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), data => {
      const bytes = Buffer.from(data)
      for (const [text, encoding] of [
        [encodeBase64(bytes), 'base64'],
        [encodeQuotedPrintable(bytes), 'quoted-printable'],
      ] as const) {
        for (const line of text.split('\r\n')) assert(line.length <= 76)
        assert.notEqual(bodyKind(Buffer.from(text, 'latin1')), '8bit')
        assert.equal(Buffer.compare(decodeTransfer(Buffer.from(text, 'latin1'), encoding), bytes), 0)
      }
    }),
    { numRuns: 1000 },
  )
})

test('no bytes make decoding throw or grow', () => {
  const encodings = fc.constantFrom('base64', 'quoted-printable', 'uuencode')
  const pieces = fc.constantFrom(
    '=',
    '\r',
    '\n',
    ' ',
    'begin ',
    '\nbegin 644\n',
    'M',
    'end',
    'A',
    '\xff',
    '3D',
    '-_',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), encodings, (text, encoding) => {
      const bytes = Buffer.from(text.join(''), 'latin1')
      assert(decodeTransfer(bytes, encoding).length <= bytes.length)
    }),
    { numRuns: 3000 },
  )
})

test('bodyKind tells 7bit, 8bit and binary apart at their limits (RFC 2045 §2.7 to §2.9)', () => {
  assert.equal(bodyKind(Buffer.from(`${'a'.repeat(998)}\r\nb`)), '7bit')
  assert.equal(bodyKind(Buffer.from('a'.repeat(999))), 'binary')
  assert.equal(bodyKind(Buffer.from('é')), '8bit')
  assert.equal(bodyKind(Buffer.from('a\0')), 'binary')
  assert.equal(bodyKind(Buffer.from('a\nb')), 'binary')
})
