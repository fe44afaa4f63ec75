import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { toCrlf } from '../../src/message/line-endings.ts'
import { type Part, parseMessage } from '../../src/message/part.ts'
import { decodeTransfer } from '../../src/message/transfer.ts'
import { bodyKind } from '../../src/message/transfer-encode.ts'
import { encodeTo7Bit } from '../../src/smtpclient/encode-7bit.ts'
import { sharedFolder } from '../shared.ts'

/** Type and decoded content of each leaf. */
function leaves(bytes: Buffer): string[] {
  const found: string[] = []
  const visit = (part: Part): void => {
    if (part.children.length > 0) return part.children.forEach(visit)
    const content = decodeTransfer(bytes.subarray(part.bodyStart, part.bodyEnd), part.encoding)
    found.push(`${part.type}/${part.subtype} ${content.toString('latin1')}`)
  }
  visit(parseMessage(bytes))
  return found
}

const isHigh = (byte: number) => byte > 0x7f

test('a multipart is relabelled, and its 8-bit leaves are encoded', () => {
  const message = Buffer.from(
    'Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\u00fc\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\u00fc\r\n--b--\r\n',
  )
  assert.equal(
    encodeTo7Bit(message).toString(),
    'Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nAMO8\r\n--b--\r\n',
  )
})

test('a message within a message is encoded inside, never as a whole (RFC 2046 §5.2.1)', () => {
  const message = Buffer.from('Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n\u00fc\r\n')
  assert.equal(
    encodeTo7Bit(message).toString(),
    'Content-Type: message/rfc822\r\n\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\nSubject: inner\r\n\r\n=C3=BC\r\n',
  )
})

test('property: the result has 7 bits whatever the message', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'Content-Type: multipart/mixed; boundary=b\r\n',
      '--b\r\n',
      '--b--\r\n',
      '\r\n',
      'Content-Transfer-Encoding: base64\r\n',
      'Content-Type: message/rfc822\r\n',
      '\u00fc',
      'x: y\r\n',
    ),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), pieces => {
      assert.ok(!encodeTo7Bit(Buffer.from(pieces.join(''), 'latin1')).some(isHigh))
    }),
    { numRuns: 500 },
  )
})

test('every message of the corpus becomes one of 7 bits with the same leaves', t => {
  if (!sharedFolder) return t.skip('the corpus is not here')
  const folder = join(sharedFolder, 'corpus', 'eml')
  let changed = 0
  for (const name of readdirSync(folder)) {
    const message = toCrlf(readFileSync(join(folder, name)))
    const encoded = encodeTo7Bit(message)
    assert.ok(!encoded.some(isHigh), name)
    if (bodyKind(message) !== '7bit') changed++
    const before = leaves(message)
    const after = leaves(encoded)
    assert.equal(after.length, before.length, name)
    for (const [i, leaf] of before.entries()) {
      // Only what stands outside of leaves may lose its high bits.
      assert.equal(after[i]?.replaceAll('\r\n', ''), leaf.replaceAll('\r\n', ''), `${name} part ${i}`)
    }
  }
  assert.ok(changed > 50)
})
