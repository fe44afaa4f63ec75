import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fieldsOf, fieldValues, findBodyStart, unfold } from '../../src/message/header.ts'
import { headerFields } from '../../src/message/sections.ts'

const block = Buffer.from(
  'From: a@b.example\r\nSubject : one\r\n two\r\nX-Empty:\r\nno colon here\r\nSUBJECT: three\r\n__proto__: x\r\n\r\n',
)

test('fields are given with their offsets, names in lower case (RFC 5322 §2.2, §4.5)', () => {
  const text = block.toString('latin1')
  const fields = [...fieldsOf(text)]
  assert.deepEqual(
    fields.map(field => [field.name, text.slice(field.valueStart, field.end)]),
    [
      ['from', ' a@b.example\r\n'],
      ['subject', ' one\r\n two\r\n'],
      ['x-empty', '\r\n'],
      ['', 'no colon here\r\n'],
      ['subject', ' three\r\n'],
      ['__proto__', ' x\r\n'],
    ],
  )
  assert.equal(fields.at(-1)?.end, block.length - 2)
})

test('unfolding takes line ends out and leaves the white space (RFC 5322 §2.2.3)', () => {
  assert.equal(unfold('  one\r\n  two\r\n\tthree \r\n'), 'one  two\tthree ')
})

test('the body starts after the first blank line, with either line end, or there is none', () => {
  assert.equal(findBodyStart(block), block.length)
  assert.equal(findBodyStart(Buffer.from('a: b\n\nbody')), 6)
  assert.equal(findBodyStart(Buffer.from('\r\nbody')), 2)
  assert.equal(findBodyStart(Buffer.from('a: b\r\nc: d')), 10)
  assert.equal(findBodyStart(Buffer.alloc(0)), 0)
})

test('fieldValues finds a field in any case, and no property of an object', () => {
  assert.deepEqual(fieldValues(block, 'Subject'), ['one two', 'three'])
  assert.deepEqual(fieldValues(block, '__proto__'), ['x'])
  assert.deepEqual(fieldValues(block, 'constructor'), [])
})

test('HEADER.FIELDS keeps order, folding and bytes, and ends in a blank line (RFC 9051 §6.4.5)', () => {
  const fields = headerFields(block, ['subject', 'from', 'toString'], false).toString()
  assert.equal(fields, 'From: a@b.example\r\nSubject : one\r\n two\r\nSUBJECT: three\r\n\r\n')
  assert.equal(headerFields(block, ['nothing'], false).toString(), '\r\n')
})

test('HEADER.FIELDS.NOT is everything else', () => {
  const others = headerFields(block, ['SUBJECT', '__proto__'], true).toString()
  assert.equal(others, 'From: a@b.example\r\nX-Empty:\r\nno colon here\r\n\r\n')
  assert.equal(headerFields(block, [], true).toString(), block.toString())
})

test('a header that is cut off gets its line end and blank line', () => {
  assert.equal(headerFields(Buffer.from('A: b'), ['a'], false).toString(), 'A: b\r\n\r\n')
})

test('FIELDS and FIELDS.NOT split any header between them', () => {
  const pieces = fc.constantFrom('a: 1', 'b: 2', 'c', '\r\n', '\r\n ', '\r\n\t', ':', 'a:')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), text => {
      const joined = `${text.join('')}\r\n`.replaceAll(/(?:\r\n)+/g, '\r\n').replace(/^\r\n/, '')
      const header = Buffer.from(joined)
      if (header.length === 0) return
      const lengths = [headerFields(header, ['a'], false), headerFields(header, ['a'], true)].map(
        part => part.length - 2,
      )
      assert.equal((lengths[0] ?? 0) + (lengths[1] ?? 0), header.length)
    }),
    { numRuns: 1000 },
  )
})
