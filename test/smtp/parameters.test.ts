import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SmtpSyntaxError } from '../../src/smtp/mailbox.ts'
import {
  asciiOriginalRecipient,
  parseMailParameters,
  parseRcptParameters,
  UnknownParameterError,
} from '../../src/smtp/parameters.ts'
import { decodeXtext, encodeXtext } from '../../src/smtp/xtext.ts'

test('all parameters of MAIL are read, in any case', () => {
  assert.deepEqual(
    parseMailParameters(' SIZE=1234 body=8bitmime SMTPUTF8 RET=hdrs ENVID=a+20b AUTH=e+3Dmc2@example.com'),
    {
      sizeBytes: 1234,
      body: '8BITMIME',
      smtpUtf8: true,
      ret: 'HDRS',
      envelopeId: 'a b',
      auth: 'e=mc2@example.com',
    },
  )
  assert.deepEqual(parseMailParameters(''), {})
  assert.deepEqual(parseMailParameters(' AUTH=<>'), { auth: '' })
})

test('all parameters of RCPT are read', () => {
  assert.deepEqual(parseRcptParameters(' NOTIFY=SUCCESS,delay ORCPT=rfc822;Bob+40x'), {
    notify: ['SUCCESS', 'DELAY'],
    originalRecipient: 'rfc822;Bob+40x',
  })
  assert.deepEqual(parseRcptParameters(' NOTIFY=NEVER'), { notify: [] })
})

test('malformed parameters are refused', () => {
  for (const bad of [
    'SIZE=1',
    ' SIZE',
    ' SIZE=',
    ' SIZE=-1',
    ' SIZE=123456789012345678901',
    ' SIZE=1 SIZE=1',
    ' BODY=9BIT',
    ' SMTPUTF8=x',
    ' RET=',
    ' RET=ALL',
    ' ENVID',
    ' ENVID=a+0Ab',
    ' ENVID=a+0D',
    ' ENVID=+0',
    ' ENVID=+XY',
    ' AUTH=a+00',
    ' -X=1',
    ' =1',
    ' SIZE=1\x01',
    ` ENVID=${'a'.repeat(257)}`,
  ])
    assert.throws(() => parseMailParameters(bad), SmtpSyntaxError, bad)
  for (const bad of [
    ' NOTIFY',
    ' NOTIFY=',
    ' NOTIFY=NEVER,DELAY',
    ' NOTIFY=MAYBE',
    ' ORCPT=x',
    ' ORCPT=;x',
    ' ORCPT=rfc822;a+0Db',
    ' ORCPT=a b;c',
  ])
    assert.throws(() => parseRcptParameters(bad), SmtpSyntaxError, bad)
})

test('a parameter of no extension is told apart (RFC 5321 §4.1.1.11)', () => {
  for (const text of [' X=1', ' __proto__=1', ' CONSTRUCTOR', ' TOSTRING=1'])
    assert.throws(
      () => parseMailParameters(text),
      text.includes('_') ? SmtpSyntaxError : UnknownParameterError,
    )
  assert.throws(() => parseRcptParameters(' SIZE=1'), UnknownParameterError)
})

test('property: decodeXtext reads what encodeXtext writes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      const encoded = encodeXtext(text)
      assert.match(encoded, /^[!-*,-<>-~]*(?:\+[0-9A-F]{2}[!-*,-<>-~]*)*$/)
      assert.equal(decodeXtext(encoded), text)
    }),
  )
})

test('an internationalized original recipient is made ASCII for servers without SMTPUTF8 (RFC 6533 §3)', () => {
  assert.equal(asciiOriginalRecipient('utf-8;ü@x'), 'utf-8;\\x{FC}@x')
  assert.equal(asciiOriginalRecipient('rfc822;a@x'), 'rfc822;a@x')
})

test('fuzz: any parameters are read or refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      for (const parse of [parseMailParameters, parseRcptParameters]) {
        try {
          parse(` ${text}`)
        } catch (error) {
          assert.ok(error instanceof SmtpSyntaxError, String(error))
        }
      }
    }),
    { numRuns: 1000 },
  )
})
