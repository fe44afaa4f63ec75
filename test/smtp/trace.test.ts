import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Reception, receivedField, returnPathField } from '../../src/smtp/trace.ts'

const reception: Reception = {
  helo: 'client.example',
  address: '192.0.2.1',
  hostname: 'mx.example.org',
  protocol: 'esmtp',
  smtpUtf8: false,
  isSecure: true,
  isAuthenticated: false,
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  id: 'abc.1',
  recipient: { local: 'ann', domain: 'example.org' },
  atMs: Date.UTC(2026, 10, 3, 1, 2, 3),
}

test('a Received field says from whom, by whom, how, for whom and when (RFC 5321 §4.4)', () => {
  assert.equal(
    receivedField(reception),
    'Received: from client.example ([192.0.2.1])\r\n\tby mx.example.org with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n\tid abc.1\r\n\tfor <ann@example.org>;\r\n\tTue, 03 Nov 2026 01:02:03 +0000\r\n',
  )
})

test('the protocol keyword tells TLS, AUTH, LMTP and SMTPUTF8 (RFC 3848, RFC 6531 §4.3)', () => {
  const keyword = (changes: Partial<Reception>) =>
    / with (\S+)/.exec(receivedField({ ...reception, ...changes }))?.[1]
  assert.equal(keyword({ isAuthenticated: true }), 'ESMTPSA')
  assert.equal(keyword({ isSecure: false }), 'ESMTP')
  assert.equal(keyword({ protocol: 'smtp' }), 'SMTP')
  assert.equal(keyword({ protocol: 'lmtp', isSecure: false }), 'LMTP')
  assert.equal(keyword({ smtpUtf8: true }), 'UTF8SMTPS')
})

test('a HELO name outside the grammar stays out of the field', () => {
  for (const helo of ['x\r\nEvil: y', 'a b', '(', '', 'x_y', '\0']) {
    const field = receivedField({ ...reception, helo })
    assert.ok(field.startsWith('Received: from [192.0.2.1] ([192.0.2.1])\r\n\tby '), field)
    assert.doesNotMatch(field, /Evil/)
  }
})

test('no `from` clause is written for a submitter who is kept private', () => {
  assert.ok(
    receivedField({ ...reception, address: undefined }).startsWith('Received: by mx.example.org with ESMTPS'),
  )
})

test('Return-Path holds the reverse path, or <>', () => {
  assert.equal(returnPathField(undefined), 'Return-Path: <>\r\n')
  assert.equal(returnPathField({ local: 'a b', domain: 'x.org' }), 'Return-Path: <"a b"@x.org>\r\n')
})
