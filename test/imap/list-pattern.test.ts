import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compilePattern } from '../../src/imap/list-pattern.ts'

const fits = (pattern: string, name: string) => compilePattern([pattern])(name)

test('* stands for anything, % for anything within a level (RFC 9051 §6.3.9)', () => {
  assert.ok(fits('*', 'a/b/c'))
  assert.ok(fits('%', 'a'))
  assert.ok(!fits('%', 'a/b'))
  assert.ok(fits('a/%', 'a/b'))
  assert.ok(!fits('a/%', 'a/b/c'))
  assert.ok(fits('a*c', 'a/b/c'))
  assert.ok(fits('%/%', 'a/b'))
  assert.ok(fits('a*', 'a'))
  assert.ok(!fits('a', 'ab'))
  assert.ok(fits('', ''))
})

test('INBOX fits in any case, others do not', () => {
  assert.ok(fits('inbox', 'INBOX'))
  assert.ok(fits('InB%', 'INBOX'))
  assert.ok(fits('inbox/a', 'INBOX/a'))
  assert.ok(!fits('archive', 'Archive'))
})

/** What a pattern means, by a regular expression without care for time. */
function naive(pattern: string, name: string): boolean {
  const source = pattern
    .split('')
    .map(char => (char === '*' ? '.*' : char === '%' ? '[^/]*' : `\\u{${char.codePointAt(0)?.toString(16)}}`))
    .join('')
  return new RegExp(`^${source}$`, 'us').test(name)
}

test('patterns fit what a regular expression fits', () => {
  const unit = fc.constantFrom('a', 'b', '/', '%', '*')
  fc.assert(
    fc.property(
      fc.string({ unit, maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 }),
      (pattern, name) => {
        assert.equal(fits(pattern, name), naive(pattern, name), `${pattern} ${name}`)
      },
    ),
    { numRuns: 2000 },
  )
})

test('a pattern made to backtrack takes no time', () => {
  const startMs = performance.now()
  assert.ok(!fits(`${'%a*'.repeat(300)}b`, 'a'.repeat(1000)))
  assert.ok(performance.now() - startMs < 1000)
})
