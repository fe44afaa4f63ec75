// What end-to-end tests and drills compare messages by: it finds what is lost, changed or doubled.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, withCrlf, withoutTrace } from './mail.ts'

const one = Buffer.from('Subject: one\r\n\r\nfirst\r\n')
const two = Buffer.from('Subject: two\r\n\r\nsecond\r\n')

test('equal collections have no differences, in any order', () => {
  assert.deepEqual(differences([two, one], [one, two], 'bytes'), [])
})

test('a lost, a changed and a doubled message are each told', () => {
  assert.match(differences([one], [one, two], 'bytes')[0] ?? '', /^missing .* of 24 bytes/)
  const changed = Buffer.from('Subject: two\r\n\r\nsecund\r\n')
  assert.match(differences([one, changed], [one, two], 'bytes')[0] ?? '', /parting at 19/)
  assert.deepEqual(differences([one, two, two], [one, two], 'bytes'), ['1 messages too many'])
})

test('a changed header counts unless only the body is compared', () => {
  const rewritten = Buffer.from('Subject:  one\nX: y\n\nfirst\n')
  assert.equal(differences([rewritten], [one], 'bytes').length, 1)
  assert.deepEqual(differences([rewritten], [one], 'body'), [])
})

test('trace fields before a message are taken off, and nothing else is', () => {
  const trace = Buffer.from('Return-Path: <a@b>\r\nReceived: from x\r\n\tby y; now\r\n')
  assert.deepEqual(withoutTrace(Buffer.concat([trace, one]), one), one)
  assert.deepEqual(withoutTrace(one, one), one)
  assert.equal(withoutTrace(Buffer.concat([trace, Buffer.from('X-Spy: 1\r\n'), one]), one), undefined)
  assert.equal(withoutTrace(Buffer.concat([trace, two]), one), undefined)
})

test('bare LF becomes CRLF and CRLF stays', () => {
  assert.equal(withCrlf(Buffer.from('a\nb\r\nc')).toString(), 'a\r\nb\r\nc')
})
