import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatMailbox } from '../../src/message/compose-field.ts'
import { parseAddresses, type Address } from '../../src/message/address.ts'
import { decodeWords } from '../../src/message/encoded-word.ts'

function short(list: readonly Address[]): unknown[] {
  return list.map(address => {
    if (address.kind === 'groupStart') return `${address.name}:`
    if (address.kind === 'groupEnd') return ';'
    const { name, route, mailbox, domain, isBroken } = address
    return [name, mailbox, domain, ...(route === undefined ? [] : [route]), ...(isBroken ? ['broken'] : [])]
  })
}

const cases: readonly (readonly [title: string, value: string, list: readonly unknown[]])[] = [
  ['a bare address', 'a@b.example', [[undefined, 'a', 'b.example']]],
  [
    'a name and an address (RFC 5322 §3.4)',
    'Joe Q. Public <joe@b.example>',
    [['Joe Q. Public', 'joe', 'b.example']],
  ],
  [
    'a quoted name with escapes',
    '"Giant; \\"Big\\" Box" <x@b.example>',
    [['Giant; "Big" Box', 'x', 'b.example']],
  ],
  [
    'the old style with the name in a comment',
    'pete@b.example (Pete (the first))',
    [['Pete (the first)', 'pete', 'b.example']],
  ],
  [
    'comments anywhere (RFC 5322 §A.5)',
    'Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>',
    [['Pete', 'pete', 'silly.test']],
  ],
  ['an empty group', 'Undisclosed recipients:;', ['Undisclosed recipients:', ';']],
  [
    'a group of mailboxes',
    'A Group:Ed Jones <joe@a.test>,b@c.test;, d@e.test',
    ['A Group:', ['Ed Jones', 'joe', 'a.test'], [undefined, 'b', 'c.test'], ';', [undefined, 'd', 'e.test']],
  ],
  [
    'an obsolete route (RFC 5322 §4.4)',
    '<@a.test,@b.test:joe@c.test>',
    [[undefined, 'joe', 'c.test', '@a.test,@b.test']],
  ],
  ['a quoted local part', '"john doe"@b.example', [[undefined, 'john doe', 'b.example']]],
  ['a domain literal', 'a@[192.0.2.1]', [[undefined, 'a', '[192.0.2.1]']]],
  ['dots where they should not be', 'a..b.@c.example', [[undefined, 'a..b.', 'c.example']]],
  ['space around dots (RFC 5322 §4.4)', 'a @ b . example', [[undefined, 'a', 'b.example']]],
  ['folding between tokens', 'A\r\n B\r\n\t<a@\r\n b.example>', [['A B', 'a', 'b.example']]],
  [
    'raw 8-bit in name and address (RFC 6532)',
    'J\xc3\xb6 <j\xc3\xb6@\xc3\xa4.example>',
    [['J\xc3\xb6', 'j\xc3\xb6', '\xc3\xa4.example']],
  ],
  ['a mailbox without a domain', 'root', [[undefined, 'root', undefined]]],
  ['a name without an address', 'Some One', [['Some One', undefined, undefined]]],
  ['empty angle brackets', 'Nobody <>', [['Nobody', undefined, undefined]]],
  ['an address that is never closed', 'A <a@b.example', [['A', 'a', 'b.example', 'broken']]],
  ['nothing', '', []],
  ['only a comment', '(nobody)', []],
  [
    'names that are keys of every object',
    '__proto__ <constructor@toString>',
    [['__proto__', 'constructor', 'toString']],
  ],
]

for (const [title, value, list] of cases) {
  test(`addresses: ${title}`, () => assert.deepEqual(short(parseAddresses(value)), list))
}

test('an address in a name is the name, not the address', () => {
  const [address] = parseAddresses('"admin@bank.example" <x@attacker.example>')
  assert.deepEqual(short([address as Address]), [['admin@bank.example', 'x', 'attacker.example']])
})

test('the list ends at what cannot be understood, and keeps what it had', () => {
  assert.deepEqual(short(parseAddresses('a@b.example; c@d.example')), [[undefined, 'a', 'b.example']])
})

test('a mailbox that is written is read back the same', () => {
  const word = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    .filter(text => !/[\r\n\0]/.test(text))
  const atom = fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,12}$/)
  const local = fc.oneof(atom, fc.stringMatching(/^[ -~]{1,12}$/))
  fc.assert(
    fc.property(word, local, atom, (name, localPart, domain) => {
      const written = formatMailbox({ name, address: `${localPart}@${domain}.example` })
      const [address, ...rest] = parseAddresses(Buffer.from(written, 'utf8').toString('latin1'))
      assert.deepEqual(rest, [])
      assert(address?.kind === 'mailbox')
      assert.equal(address.mailbox, localPart)
      assert.equal(address.domain, `${domain}.example`)
      assert.equal(decodeWords(address.name ?? ''), name)
    }),
    { numRuns: 500 },
  )
})

test('no text makes the address parser throw, and it ends', () => {
  const hostile = fc.array(
    fc.constantFrom(
      '(',
      ')',
      '<',
      '>',
      '"',
      '\\',
      '@',
      ',',
      ';',
      ':',
      '.',
      ' ',
      'a',
      '[',
      ']',
      '\r\n ',
      '\xff',
    ),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(hostile, pieces => {
      const list = parseAddresses(pieces.join(''))
      let depth = 0
      for (const { kind } of list) {
        if (kind === 'groupStart') assert.equal(++depth, 1)
        if (kind === 'groupEnd') assert.equal(--depth, 0)
      }
      assert.equal(depth, 0)
    }),
    { numRuns: 3000 },
  )
})
