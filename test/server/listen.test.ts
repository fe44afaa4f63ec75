import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatListenAddress, isLocalOnly, parseListenAddress } from '../../src/server/listen.ts'

test('what is formatted is read back', () => {
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter(text => !text.includes('.')),
  )
  fc.assert(
    fc.property(host, fc.integer({ min: 0, max: 65_535 }), (name, port) => {
      const address = { kind: 'tcp', host: name, port } as const
      assert.deepEqual(parseListenAddress(formatListenAddress(address)), address)
    }),
  )
})

test('a star is every address and localhost is the loopback', () => {
  assert.deepEqual(parseListenAddress('*:143'), { kind: 'tcp', host: '::', port: 143 })
  assert.deepEqual(parseListenAddress('localhost:143'), { kind: 'tcp', host: '127.0.0.1', port: 143 })
})

test('what is no address is refused', () => {
  for (const text of [
    '',
    ':',
    '143',
    '127.0.0.1',
    '127.0.0.1:',
    '::1:143',
    '127.0.0.1:-1',
    '256.0.0.1:1',
    'unix:',
    'mail.example.org:143',
  ]) {
    assert.throws(() => parseListenAddress(text), /expected ADDRESS:PORT/, text)
  }
})

test('any text is read or refused', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      try {
        parseListenAddress(text)
      } catch (error) {
        assert.match((error as Error).message, /^expected ADDRESS:PORT/)
      }
    }),
  )
})

test('only loopback addresses and sockets are local', () => {
  assert.equal(isLocalOnly(parseListenAddress('127.3.2.1:1')), true)
  assert.equal(isLocalOnly(parseListenAddress('[::1]:1')), true)
  assert.equal(isLocalOnly(parseListenAddress('/run/x')), true)
  assert.equal(isLocalOnly(parseListenAddress('*:1')), false)
  assert.equal(isLocalOnly(parseListenAddress('10.0.0.1:1')), false)
})
