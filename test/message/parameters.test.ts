import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parameterField } from '../../src/message/compose-field.ts'
import {
  findParameter,
  parameterOf,
  parseContentType,
  parseDisposition,
} from '../../src/message/parameters.ts'

test('type, subtype and parameters, in any case and with comments (RFC 2045 §5.1)', () => {
  const content = parseContentType(' Text / Plain (really); Charset="us-ascii" (7 bits) ; format=flowed')
  assert.deepEqual(content, {
    type: 'text',
    subtype: 'plain',
    params: [
      { name: 'Charset', value: 'us-ascii' },
      { name: 'format', value: 'flowed' },
    ],
  })
})

for (const value of [
  '',
  'text',
  'text/',
  '/plain',
  'text/plain charset=x',
  'application/pdf name=""',
  'X-BE2; 12',
]) {
  test(`no content type: ${value}`, () => assert.equal(parseContentType(value), undefined))
}

function parameter(value: string, name: string): string | undefined {
  return findParameter(parseContentType(value)?.params ?? [], name)
}

test('sections in any order are one value (RFC 2231 §3)', () => {
  assert.equal(parameter('a/b; url*1="example.org/x"; URL*0="ftp://"', 'url'), 'ftp://example.org/x')
})

test('a charset and percent signs (RFC 2231 §4, §4.1)', () => {
  assert.equal(parameter("a/b; name*=iso-8859-1'en'%A3%20rates", 'name'), '£ rates')
  assert.equal(
    parameter("a/b; t*0*=us-ascii'en'This%20is%20; t*1*=%2A%2A%2Afun; t*2=\" isn't it!\"", 't'),
    "This is ***fun isn't it!",
  )
})

test('sections with a gap are left as they are', () => {
  const params = parseContentType('a/b; x*0=a; x*2=c')?.params
  assert.deepEqual(params, [
    { name: 'x*0', value: 'a' },
    { name: 'x*2', value: 'c' },
  ])
})

test('encoded words in a value, as they should not be (RFC 2047 §5)', () => {
  assert.equal(parameter('a/b; name="=?utf-8?q?caf=C3=A9.pdf?="', 'name'), 'café.pdf')
  assert.equal(parameter('a/b; name==?utf-8?q?caf=C3=A9.pdf?=', 'name'), 'café.pdf')
})

test('what is between two semicolons and is no parameter is passed over', () => {
  assert.equal(parameter('multipart/mixed;; x y z; = ; boundary="b"', 'boundary'), 'b')
})

test('a value without its closing quote goes to the end', () => {
  assert.equal(
    parameterOf(parseDisposition('attachment; filename="a b.txt')?.params ?? [], 'filename'),
    'a b.txt',
  )
})

test('the first of two parameters of one name counts', () => {
  assert.equal(parameter('a/b; boundary=one; boundary=two', 'boundary'), 'one')
})

test('parameters are no keys of an object', () => {
  const value = 'a/b; __proto__=1; constructor=2; toString*0=3; toString*1=4'
  assert.equal(parameter(value, '__proto__'), '1')
  assert.equal(parameter(value, 'constructor'), '2')
  assert.equal(parameter(value, 'tostring'), '34')
  assert.equal(parameter('a/b; x=1', '__proto__'), undefined)
  assert.equal(parameter('a/b; x=1', 'toString'), undefined)
})

test('a parameter that is written is read back the same (RFC 2231)', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 150 }).filter(value => !/[\r\n\0]/.test(value))
  fc.assert(
    fc.property(text, value => {
      const field = parameterField('Content-Type', 'application/octet-stream', [['name', value]])
      for (const line of field.split('\r\n')) assert(line.length <= 998)
      assert.match(field, /^[ -~\r\n]*$/)
      assert.equal(parameter(field.slice('Content-Type:'.length), 'name'), value)
    }),
    { numRuns: 500 },
  )
})

test('no text makes the parameter parser throw', () => {
  const pieces = fc.constantFrom(
    ';',
    '=',
    '"',
    '\\',
    '*',
    '0',
    '1',
    "'",
    '%',
    '%41',
    'a',
    'x*0*',
    '/',
    '(',
    ')',
    ' ',
    '\r\n ',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 50 }), text => {
      const params = parseContentType(`a/b;${text.join('')}`)?.params ?? []
      for (const { name } of params) findParameter(params, name.toLowerCase())
      parseDisposition(text.join(''))
    }),
    { numRuns: 3000 },
  )
})
