import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/base/limits.ts'
import {
  asciiDomain,
  formatMailbox,
  formatPath,
  isAddressLiteral,
  isDomain,
  parseMailbox,
  parsePath,
  SmtpSyntaxError,
} from '../../src/smtp/mailbox.ts'

const path = (text: string) => {
  const { mailbox, end } = parsePath(text, 0)
  assert.equal(end, text.length)
  return mailbox
}

test('paths of every form in RFC 5321 §4.1.2 are read', () => {
  assert.equal(path('<>'), undefined)
  assert.deepEqual(path('<ann@example.org>'), { local: 'ann', domain: 'example.org' })
  assert.deepEqual(path('<"ann b"@example.org>'), { local: 'ann b', domain: 'example.org' })
  assert.deepEqual(path('<"a\\"\\\\>@"@example.org>'), { local: 'a"\\>@', domain: 'example.org' })
  assert.deepEqual(path('<""@example.org>'), { local: '', domain: 'example.org' })
  assert.deepEqual(path("<!#$%&'*+-/=?^_`{|}~@x>"), { local: "!#$%&'*+-/=?^_`{|}~", domain: 'x' })
  assert.deepEqual(path('<ann@[192.0.2.1]>'), { local: 'ann', domain: '[192.0.2.1]' })
  assert.deepEqual(path('<ann@[IPv6:2001:db8::1]>'), { local: 'ann', domain: '[IPv6:2001:db8::1]' })
})

test('a source route is read and dropped (RFC 5321 §4.1.2)', () => {
  assert.deepEqual(path('<@a.example,@[192.0.2.1]:ann@example.org>'), { local: 'ann', domain: 'example.org' })
  for (const bad of ['<@a.example ann@x>', '<@:ann@x>', '<@a,b:ann@x>', '<@a.example>', '<@a..b:ann@x>'])
    assert.throws(() => parsePath(bad, 0), SmtpSyntaxError, bad)
})

test('<Postmaster> needs no domain (RFC 5321 §4.5.1)', () => {
  assert.deepEqual(path('<Postmaster>'), { local: 'Postmaster', domain: '' })
  assert.equal(formatPath({ local: 'Postmaster', domain: '' }), '<Postmaster>')
  assert.throws(() => parsePath('<ann>', 0), SmtpSyntaxError)
})

test('internationalized addresses are read (RFC 6531 §3.3)', () => {
  assert.deepEqual(path('<用户@例子.广告>'), { local: '用户', domain: '例子.广告' })
  assert.equal(asciiDomain('例子.广告'), 'xn--fsqu00a.xn--4rr70v')
  assert.equal(asciiDomain('EXAMPLE.org'), 'example.org')
})

test('what is outside the grammar is refused', () => {
  const bad = [
    '',
    'ann@example.org',
    '<ann@example.org',
    '<ann @example.org>',
    '<.ann@x>',
    '<ann.@x>',
    '<a..b@x>',
    '<@x>',
    '<ann@>',
    '<ann@-x>',
    '<ann@x->',
    '<ann@x..y>',
    '<ann@.x>',
    '<ann@x.>',
    '<ann@x_y>',
    '<ann@x y>',
    '<"ann@x>',
    '<"a"b@x>',
    '<a"b"@x>',
    '<"a\\\x01"@x>',
    '<"a\tb"@x>',
    '<ann@[1.2.3]>',
    '<ann@[1.2.3.256]>',
    '<ann@[IPv6:1.2.3.4]>',
    '<ann@[IPv6:fe80::1%eth0]>',
    '<ann@[]>',
    '<ann@[x:]>',
    '<ann@[x-tag:what]>',
    '<ann@[x:a]b]>',
    '<a,b@x>',
    '<a@b@c>',
    '<ann\0@x>',
    '<ann@x\0>',
    '< ann@x>',
    '<<ann@x>>',
    '<ann@x\r\n>',
  ]
  for (const text of bad) assert.throws(() => path(text), `accepted ${JSON.stringify(text)}`)
})

test('a local part may have so many bytes and not one more', () => {
  const most = 'a'.repeat(limits.smtp.localPartBytes)
  assert.equal(path(`<${most}@x>`)?.local, most)
  assert.throws(() => path(`<${most}a@x>`), SmtpSyntaxError)
})

test('a path with its source route may have so many bytes and not one more', () => {
  const routed = (bytes: number) => {
    const address = ':ann@x>'
    const hops = '@h,'.repeat(Math.floor((bytes - address.length - 3) / 3))
    return `<${hops}@${'h'.repeat(bytes - hops.length - address.length - 2)}${address}`
  }
  assert.equal(routed(limits.smtp.pathBytes).length, limits.smtp.pathBytes)
  assert.equal(path(routed(limits.smtp.pathBytes))?.local, 'ann')
  assert.throws(() => path(routed(limits.smtp.pathBytes + 1)), SmtpSyntaxError)
})

test('a domain may have 63 bytes in a label and 255 in all', () => {
  assert.ok(isDomain('a'.repeat(63)))
  assert.ok(!isDomain('a'.repeat(64)))
  const label = 'a'.repeat(63)
  assert.ok(isDomain(`${label}.${label}.${label}.${'a'.repeat(63)}`))
  assert.ok(!isDomain(`${label}.${label}.${label}.${label}.a`))
})

test('an address literal has a known form', () => {
  assert.ok(isAddressLiteral('[IPv6:::ffff:192.0.2.1]'))
  assert.ok(!isAddressLiteral('[2001:db8::1]'))
  assert.ok(!isAddressLiteral('192.0.2.1'))
})

const localPart = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map(code => String.fromCharCode(code)),
  maxLength: 64,
})
const domain = fc.domain()

test('property: what formatMailbox writes, parseMailbox reads', () => {
  fc.assert(
    fc.property(localPart, domain, (local, name) => {
      const mailbox = { local, domain: name }
      assert.deepEqual(parseMailbox(formatMailbox(mailbox)), mailbox)
      assert.deepEqual(parsePath(formatPath(mailbox), 0).mailbox, mailbox)
    }),
  )
})

test('fuzz: any text is read or refused, and what is read holds no line end', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '<',
      '>',
      '@',
      '"',
      '\\',
      '.',
      ',',
      ':',
      '[',
      ']',
      'IPv6:',
      'a',
      'x.org',
      '\r',
      '\n',
      '\0',
      ' ',
      'é',
      '\ud800',
    ),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), pieces => {
      const text = `<${pieces.join('')}`
      try {
        const { mailbox } = parsePath(text, 0)
        assert.doesNotMatch(formatPath(mailbox), /[\x00-\x1f\x7f]/)
      } catch (error) {
        assert.ok(error instanceof SmtpSyntaxError, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})
