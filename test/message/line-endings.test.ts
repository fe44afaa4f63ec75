import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasCrlfOnly, toCrlf } from '../../src/message/line-endings.ts'

function convert(text: string): string {
  return toCrlf(Buffer.from(text, 'latin1')).toString('latin1')
}

test('lone LF and lone CR become CRLF', () => {
  assert.equal(convert('a\nb\rc\r\nd\n'), 'a\r\nb\r\nc\r\nd\r\n')
  assert.equal(convert('\r\r\n\n\r'), '\r\n\r\n\r\n\r\n')
})

test('a message that is right is the same Buffer', () => {
  const bytes = Buffer.from('a\r\nb\r\n')
  assert.equal(toCrlf(bytes), bytes)
})

test('the result is right, and equals what a regular expression makes', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('\r', '\n', '\r\n', 'a'), { maxLength: 40 }), pieces => {
      const text = pieces.join('')
      const converted = convert(text)
      assert.equal(converted, text.replaceAll(/\r\n|\r|\n/g, '\r\n'))
      assert(hasCrlfOnly(Buffer.from(converted)))
      assert.equal(hasCrlfOnly(Buffer.from(text)), converted === text)
    }),
    { numRuns: 2000 },
  )
})

test('20 MB of lone line ends take linear time', () => {
  for (const end of ['\n', '\r']) {
    const bytes = Buffer.alloc(5_000_000, `aaa${end}`)
    const start = performance.now()
    assert.equal(toCrlf(bytes).length, 6_250_000)
    assert(performance.now() - start < 3000)
  }
})
