import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/base/limits.ts'
import { StoreError } from '../../src/store/error.ts'
import {
  canonicalMailboxName,
  childRange,
  findMailboxName,
  parentNames,
  parseMailboxName,
} from '../../src/store/mailbox-name.ts'
import { refuses } from './conformance.ts'

for (const [given, kept] of [
  ['inbox', 'INBOX'],
  ['InBoX/Below', 'INBOX/Below'],
  ['inboxes', 'inboxes'],
  ['a/inbox', 'a/inbox'],
  ['Cafe\u0301', 'Café'],
  ['日本語/メール', '日本語/メール'],
  ['a b.c&d%*"\\', 'a b.c&d%*"\\'],
  ['__proto__', '__proto__'],
  ['…', '…'],
] as const) {
  test(`${JSON.stringify(given)} is kept as ${JSON.stringify(kept)}`, () => {
    assert.equal(parseMailboxName(given), kept)
    assert.equal(canonicalMailboxName(given), kept)
  })
}

// Path traversal (CVE-2021-40525): no form of it is a name, and no name becomes the name of a file.
for (const name of [
  '',
  '/',
  'a/',
  '/a',
  'a//b',
  '..',
  '.',
  'a/../b',
  '../../etc/passwd',
  'a/./b',
  'a\0b',
  'a\r\nb',
  'a\x7fb',
  'a\x85b',
  'a\u2028b',
  'a\u202eb',
  'a\ufeffb',
  '\ud800',
]) {
  test(`${JSON.stringify(name)} is not a name`, () => {
    assert.throws(() => parseMailboxName(name), refuses('invalid-name'))
    assert.equal(findMailboxName(name), undefined)
  })
}

test('names that only look like a path after a decoding that nobody does are plain names', () => {
  // %2f, overlong UTF-8 and UTF-7 stay what they are.
  for (const name of ['%2e%2e%2fetc', '..%2f', '&AC8-', '+AC8-', 'a\\..\\b', '..a', 'a..']) {
    assert.equal(parseMailboxName(name), name)
  }
})

test('a name has at most the bytes and levels of the limits', () => {
  const { nameBytes, depth } = limits.mailbox
  assert.equal(parseMailboxName('é'.repeat(nameBytes / 2)).length, nameBytes / 2)
  assert.throws(() => parseMailboxName(`${'é'.repeat(nameBytes / 2)}x`), refuses('invalid-name'))
  assert.throws(() => parseMailboxName('x'.repeat(10_000_000)), refuses('invalid-name'))
  // NFC may grow.
  assert.throws(() => parseMailboxName('\u0344'.repeat(nameBytes / 2)), refuses('invalid-name'))
  assert.equal(parseMailboxName(Array.from({ length: depth }, () => 'x').join('/')).length, depth * 2 - 1)
  assert.throws(
    () => parseMailboxName(Array.from({ length: depth + 1 }, () => 'x').join('/')),
    refuses('invalid-name'),
  )
})

test('whatever is a name stays one, unchanged', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), text => {
      let name: string
      try {
        name = parseMailboxName(text)
      } catch (error) {
        assert.ok(error instanceof StoreError)
        return
      }
      assert.equal(parseMailboxName(name), name)
      assert.ok(name.isWellFormed())
      for (const parent of parentNames(name)) assert.equal(parseMailboxName(parent), parent)
    }),
    { numRuns: 2000 },
  )
})

test('the range of children holds children only', () => {
  const { low, high } = childRange('a/b')
  const isInside = (name: string) => name >= low && name < high
  assert.deepEqual(['a/b/c', 'a/b/c/d', 'a/b', 'a/b0', 'a/b.c', 'a/bc', 'a/b c'].map(isInside), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ])
  assert.deepEqual(parentNames('a/b/c'), ['a', 'a/b'])
})
