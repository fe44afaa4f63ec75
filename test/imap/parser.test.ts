import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/base/limits.ts'
import { commands } from '../../src/imap/commands.ts'
import { ImapError } from '../../src/imap/error.ts'
import { findLiteralHead } from '../../src/imap/input/command-input.ts'
import { Parser } from '../../src/imap/input/parser.ts'
import { defaultCollation } from '../../src/imap/search/collation.ts'
import type { Session } from '../../src/imap/session.ts'

const parser = (text: string | Buffer) =>
  new Parser({ pieces: [{ text: Buffer.from(text as string, 'latin1'), literal: undefined }] })

test('a quoted string gives back what was quoted', () => {
  assert.equal(parser('"a \\"b\\" \\\\"').string(), 'a "b" \\')
  assert.throws(() => parser('"a').string(), { status: 'BAD' })
  assert.throws(() => parser('"a\0"').string(), { status: 'BAD' })
})

test('a literal stands for its bytes', () => {
  const bytes = Buffer.from('two words')
  const literal = {
    kind: 'bytes',
    bytes,
    sizeBytes: bytes.length,
    nonSynchronizing: false,
    binary: false,
  } as const
  const read = new Parser({
    pieces: [
      { text: Buffer.from(' {9}'), literal },
      { text: Buffer.from(' next'), literal: undefined },
    ],
  })
  read.sp()
  assert.equal(read.astring(), 'two words')
  read.sp()
  assert.equal(read.atom(), 'next')
  read.end()
})

test('the head of a literal is read from the end of a line', () => {
  assert.deepEqual(findLiteralHead(Buffer.from('a {12}')), {
    sizeBytes: 12,
    nonSynchronizing: false,
    binary: false,
    start: 2,
  })
  assert.deepEqual(findLiteralHead(Buffer.from('a ~{12+}')), {
    sizeBytes: 12,
    nonSynchronizing: true,
    binary: true,
    start: 2,
  })
  for (const line of ['a {}', 'a {1', 'a 1}', 'a {-1}', 'a {1 }', '}', '{', '']) {
    assert.equal(findLiteralHead(Buffer.from(line)), undefined, line)
  }
  assert.equal(findLiteralHead(Buffer.from(`a {${'9'.repeat(400)}}`))?.sizeBytes, Infinity)
})

test('numbers past their bound are BAD, at the bound they are not', () => {
  assert.equal(parser('4294967295').number(), 4294967295)
  assert.throws(() => parser('4294967296').number(), { status: 'BAD' })
  assert.throws(() => parser('18446744073709551616').number64(), { status: 'BAD' })
  assert.throws(() => parser('0').nzNumber(), { status: 'BAD' })
})

test('parentheses nest up to the limit', () => {
  const nested = (depth: number): unknown => {
    const read = parser('('.repeat(depth) + ')'.repeat(depth))
    const inner = (): unknown => (read.isListNext ? read.list(inner) : undefined)
    return inner()
  }
  nested(limits.imap.depth)
  assert.throws(() => nested(limits.imap.depth + 1), { status: 'BAD' })
})

test('dates and times are read with their zone, and days that are not are refused', () => {
  assert.equal(parser('"17-Jul-1996 02:44:25 -0700"').dateTime(), Date.UTC(1996, 6, 17, 9, 44, 25))
  assert.equal(parser('" 1-Feb-2024 00:00:00 +0530"').dateTime(), Date.UTC(2024, 0, 31, 18, 30))
  for (const text of [
    '"31-Feb-2024 00:00:00 +0000"',
    '"1-Feb-2024 00:00:00 +0000"',
    '"29-Feb-2023 00:00:00 +0000"',
    '"01-Foo-2023 00:00:00 +0000"',
    '"01-Jan-2023 24:00:00 +0000"',
  ]) {
    assert.throws(() => parser(text).dateTime(), { status: 'BAD' }, text)
  }
  assert.deepEqual(parser('1-Feb-1994').date(), { year: 1994, month: 2, day: 1 })
  assert.deepEqual(parser('"29-Feb-2024"').date(), { year: 2024, month: 2, day: 29 })
})

test('no arguments whatever throw anything but a refusal', () => {
  const session = {
    usesUtf8Names: false,
    has: () => true,
    comparator: defaultCollation,
  } as unknown as Session
  const word = fc.oneof(
    fc.constantFrom(
      '(',
      ')',
      '"',
      '[',
      ']',
      '<',
      '>',
      '{',
      '}',
      '\\',
      '*',
      '%',
      '$',
      ':',
      ',',
      ' ',
      'NIL',
      '1',
      '0',
      '1:*',
      'FLAGS',
      '\\Seen',
      'BODY',
      'BODY[',
      'RETURN',
      'OR',
      'NOT',
      '"x"',
      '&',
      '&AAA-',
      'é',
      '\0',
      '__proto__',
      'CHARSET',
      'UTF-8',
      'MODSEQ',
      'QRESYNC',
      'CONDSTORE',
      '"1-Feb-2024 00:00:00 +0000"',
    ),
    fc.string(),
    fc.nat().map(String),
  )
  const text = fc.array(
    fc.tuple(word, fc.constantFrom('', ' ')).map(pair => pair.join('')),
    { maxLength: 25 },
  )
  fc.assert(
    fc.property(fc.constantFrom(...commands), fc.boolean(), text, (command, uid, words) => {
      try {
        command.bind(parser(words.join('')), { uid, session, tag: 'a' })
      } catch (error) {
        assert.ok(error instanceof ImapError, `${command.name} ${words.join('')}: ${String(error)}`)
      }
    }),
    { numRuns: 20_000 },
  )
})
