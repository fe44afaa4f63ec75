import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatIp,
  isInNetwork,
  isLoopback,
  networkKey,
  normalizeIp,
  parseIp,
  parseNetwork,
} from '../../src/net/ip.ts'

test('addresses are written in one way (RFC 5952 §4)', () => {
  const cases = [
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['::ffff:0:0', '0.0.0.0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['fe80::1%eth0', 'fe80::1'],
    ['192.0.2.1', '192.0.2.1'],
    ['mail.example', 'mail.example'],
    ['', ''],
  ]
  for (const [given, expected] of cases) assert.equal(normalizeIp(given ?? ''), expected)
})

test('an IPv6 address is what it was after writing and parsing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
      const again = parseIp(formatIp(bytes))
      assert.deepEqual(
        again.length === 16 ? again : Uint8Array.from([...bytes.slice(0, 12), ...again]),
        bytes,
      )
    }),
  )
})

test('loopback is 127/8, ::1 and their mapped forms, and nothing that looks like it', () => {
  for (const yes of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1']) {
    assert.equal(isLoopback(yes), true, yes)
  }
  for (const no of ['128.0.0.1', '::2', '1::1', '::ffff:10.0.0.1', '127.0.0.1.example', '', 'localhost']) {
    assert.equal(isLoopback(no), false, no)
  }
})

test('limiters count an IPv4 address and an IPv6 /64', () => {
  assert.equal(networkKey('192.0.2.7'), '192.0.2.7')
  assert.equal(networkKey('::ffff:192.0.2.7'), '192.0.2.7')
  assert.equal(networkKey('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(networkKey('2001:db8:1:2:ffff::1'), networkKey('2001:db8:1:2::'))
})

test('networks contain the addresses that node:net says', () => {
  const ipv4 = fc.ipV4()
  fc.assert(
    fc.property(ipv4, ipv4, fc.integer({ min: 0, max: 32 }), (network, address, bits) => {
      const list = new BlockList()
      list.addSubnet(network, bits, 'ipv4')
      assert.equal(isInNetwork(address, parseNetwork(`${network}/${bits}`)), list.check(address, 'ipv4'))
    }),
  )
  const last = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytes => bytes.with(0, 0x20))
  fc.assert(
    fc.property(last, fc.nat(127), fc.integer({ min: 1, max: 128 }), (bytes, flipped, bits) => {
      const other = bytes.with(flipped >> 3, (bytes[flipped >> 3] as number) ^ (0x80 >> (flipped & 7)))
      const network = parseNetwork(`${formatIp(bytes)}/${bits}`)
      assert.equal(isInNetwork(formatIp(bytes), network), true)
      assert.equal(isInNetwork(formatIp(other), network), flipped >= bits)
    }),
  )
})

test('what is no network is refused', () => {
  for (const text of [
    '',
    '/8',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::/129',
    'x/8',
    '1/8',
  ]) {
    assert.throws(() => parseNetwork(text), RangeError, text)
  }
  assert.equal(isInNetwork('10.1.2.3', parseNetwork('::ffff:10.0.0.0/104')), true)
  assert.equal(isInNetwork('10.0.0.1', parseNetwork('::/0')), false)
})
