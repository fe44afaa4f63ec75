import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseMessage, parsePart, type Part } from '../../src/message/part.ts'
import { findSection, packParts, unpackParts, type PartNode } from '../../src/message/sections.ts'
import { summarize } from '../../src/message/summary.ts'

function message(...lines: string[]): Buffer {
  return Buffer.from(lines.join('\r\n'), 'latin1')
}

function tree(bytes: Buffer): unknown {
  const shape = (part: Part): unknown => {
    const body = bytes.toString('latin1', part.bodyStart, part.bodyEnd)
    return part.children.length > 0 ? [`${part.type}/${part.subtype}`, ...part.children.map(shape)] : body
  }
  return shape(parseMessage(bytes))
}

/** Every part lies in its parent's body, brothers in order. */
function checkNesting(part: Part, bytes: Buffer): void {
  assert(part.headerStart <= part.headerEnd && part.bodyStart === part.headerEnd)
  assert(part.bodyStart <= part.bodyEnd && part.bodyEnd <= bytes.length)
  assert(part.lines >= 0)
  let at = part.bodyStart
  for (const child of part.children) {
    assert(child.headerStart >= at && child.bodyEnd <= part.bodyEnd)
    at = child.bodyEnd
    checkNesting(child, bytes)
  }
}

const mixed = 'Content-Type: multipart/mixed; boundary=b'

test("the line end before a boundary is the boundary's (RFC 2046 §5.1.1)", () => {
  assert.deepEqual(
    tree(message(mixed, '', 'preamble', '--b', '', 'one', '', '--b', '', 'two', '--b--', 'epilogue')),
    ['multipart/mixed', 'one\r\n', 'two'],
  )
})

test('a boundary that is the beginning of another is not taken for it', () => {
  const inner = 'Content-Type: multipart/alternative; boundary=bb'
  assert.deepEqual(
    tree(
      message(
        mixed,
        '',
        '--b',
        inner,
        '',
        '--bb',
        '',
        'x',
        '--bb',
        '',
        'y',
        '--bb--',
        '--b',
        '',
        'z',
        '--b--',
      ),
    ),
    ['multipart/mixed', ['multipart/alternative', 'x', 'y'], 'z'],
  )
})

test('white space after a boundary does not count (RFC 2046 §5.1.1)', () => {
  assert.deepEqual(tree(message(mixed, '', '--b \t', '', 'x', '--b-- ', '')), ['multipart/mixed', 'x'])
})

test('an outer boundary ends what is open inside it', () => {
  const inner = 'Content-Type: multipart/alternative; boundary=i'
  assert.deepEqual(tree(message(mixed, '', '--b', inner, '', '--i', '', 'x', '--b', '', 'y')), [
    'multipart/mixed',
    ['multipart/alternative', 'x'],
    'y',
  ])
})

test('a boundary in the middle of a header ends it, with an empty body', () => {
  assert.deepEqual(tree(message(mixed, '', '--b', 'Content-Type: text/html', '--b', '', 'x', '--b--')), [
    'multipart/mixed',
    '',
    'x',
  ])
})

test('parts of a digest are messages unless they say otherwise (RFC 2046 §5.1.5)', () => {
  const digest = 'Content-Type: multipart/digest; boundary=b'
  const [first, second] = parseMessage(
    message(
      digest,
      '',
      '--b',
      '',
      'Subject: inner',
      '',
      'x',
      '--b',
      'Content-Type: text/plain',
      '',
      'y',
      '--b--',
    ),
  ).children
  assert.deepEqual(
    [first?.type, first?.subtype, first?.children[0]?.message?.subject],
    ['message', 'rfc822', ' inner\r\n'],
  )
  assert.deepEqual([second?.type, second?.children.length], ['text', 0])
})

test('lone LF lines are understood too', () => {
  assert.deepEqual(tree(Buffer.from(`${mixed}\n\n--b\n\nx\n--b--\n`)), ['multipart/mixed', 'x'])
})

test('the first Content-Type counts, so that no filter sees another', () => {
  const bytes = message('Content-Type: text/html', 'Content-Type: text/plain', '', 'x')
  assert.equal(parseMessage(bytes).subtype, 'html')
})

test('lines are counted in texts and messages', () => {
  const inner = message('Subject: s', '', 'a', 'b', '').toString()
  const root = parseMessage(
    message(mixed, '', '--b', '', 'one', 'two', '--b', 'Content-Type: message/rfc822', '', inner, '--b--'),
  )
  assert.deepEqual(
    root.children.map(part => part.lines),
    [1, 4],
  )
  assert.equal(root.children[1]?.children[0]?.lines, 2)
})

test('parsePart reads an entity that is no message', () => {
  const part = parsePart(message('Content-Type: TEXT/html', 'From: x', '', 'body'))
  assert.deepEqual([part.type, part.subtype, part.message], ['text', 'html', undefined])
})

const nested = message(
  'Subject: outer',
  mixed,
  '',
  '--b',
  'Content-Type: text/plain',
  '',
  'first',
  '--b',
  'Content-Type: message/rfc822',
  '',
  'Subject: inner',
  'Content-Type: multipart/alternative; boundary=i',
  '',
  '--i',
  '',
  'plain',
  '--i',
  'Content-Type: text/html',
  'Content-Transfer-Encoding: BASE64',
  '',
  'aHRtbA==',
  '--i--',
  '--b',
  'Content-Type: message/rfc822',
  '',
  'Subject: single',
  '',
  'single body',
  '--b--',
  '',
)

function section(
  bytes: Buffer,
  path: number[],
  kind: 'BODY' | 'HEADER' | 'TEXT' | 'MIME',
): string | undefined {
  const found = findSection(unpackParts(summarize(bytes).parts), path, kind)
  return found && bytes.toString('latin1', found.start, found.end)
}

test('sections by number (RFC 9051 §6.4.5.1)', () => {
  assert.equal(section(nested, [], 'BODY'), nested.toString('latin1'))
  assert.equal(section(nested, [], 'HEADER'), `Subject: outer\r\n${mixed}\r\n\r\n`)
  assert.equal(section(nested, [1], 'BODY'), 'first')
  assert.equal(section(nested, [1], 'MIME'), 'Content-Type: text/plain\r\n\r\n')
  assert.equal(
    section(nested, [2], 'HEADER'),
    'Subject: inner\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n',
  )
  assert.equal(section(nested, [2, 1], 'BODY'), 'plain')
  assert.equal(section(nested, [2, 2], 'BODY'), 'aHRtbA==')
  assert.equal(section(nested, [3, 1], 'BODY'), 'single body')
  assert.equal(section(nested, [3], 'TEXT'), 'single body')
  assert.equal(section(nested, [3, 1], 'MIME'), 'Subject: single\r\n\r\n')
})

test('sections that are not there (RFC 9051 §6.4.5.1)', () => {
  assert.equal(section(nested, [4], 'BODY'), undefined)
  assert.equal(section(nested, [1, 1], 'BODY'), undefined)
  assert.equal(section(nested, [2, 1, 1], 'BODY'), undefined)
  assert.equal(section(nested, [3, 2], 'BODY'), undefined)
  assert.equal(section(nested, [1], 'HEADER'), undefined)
  assert.equal(section(nested, [1], 'TEXT'), undefined)
  assert.equal(section(nested, [], 'MIME'), undefined)
  assert.equal(section(nested, [0], 'BODY'), undefined)
  assert.equal(section(nested, [2 ** 53], 'BODY'), undefined)
})

test('part 1 of a message that is no multipart is its body', () => {
  const bytes = message('Subject: s', '', 'text')
  assert.equal(section(bytes, [1], 'BODY'), 'text')
  assert.equal(section(bytes, [1], 'MIME'), 'Subject: s\r\n\r\n')
  assert.equal(section(bytes, [2], 'BODY'), undefined)
  assert.equal(section(bytes, [1, 1], 'BODY'), undefined)
})

test('the encoding of a section is that of its part', () => {
  const found = findSection(unpackParts(summarize(nested).parts), [2, 2], 'BODY')
  assert.deepEqual([found?.encoding, found?.part.subtype], ['base64', 'html'])
})

test('unpackParts refuses what it did not make', () => {
  const { parts } = summarize(nested)
  assert.throws(() => unpackParts(Buffer.alloc(0)))
  assert.throws(() => unpackParts(Buffer.from([9])))
  for (let length = 1; length < parts.length; length++)
    assert.throws(() => unpackParts(parts.subarray(0, length)))
})

const pieces = fc.constantFrom(
  '--a',
  '--b',
  '--ab',
  '--a--',
  '--b--',
  '--',
  '\r\n',
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  'text',
  ' ',
  ':',
  'Content-Type: multipart/mixed; boundary=a\r\n',
  'Content-Type: multipart/digest; boundary="b"\r\n',
  'Content-Type: multipart/mixed; boundary=ab\r\n',
  'Content-Type: multipart/mixed; boundary=""\r\n',
  'Content-Type: message/rfc822\r\n',
  'Content-Type: text/html; charset=utf-8\r\n',
  'Content-Transfer-Encoding: base64\r\n',
  'Subject: =?utf-8?q?=C3=A9?=\r\n',
  'From: a <b@c>\r\n',
)

function sameTree(part: Part, node: PartNode): void {
  assert.deepEqual(
    [node.headerStart, node.bodyStart, node.bodyEnd, node.encoding],
    [part.headerStart, part.bodyStart, part.bodyEnd, part.encoding],
  )
  assert.equal(node.children.length, part.children.length)
  for (const [index, child] of node.children.entries()) sameTree(part.children[index] as Part, child)
}

test('parts of any bytes nest, and are packed and unpacked the same', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), text => {
      const bytes = Buffer.from(text.join(''), 'latin1')
      const part = parseMessage(bytes)
      checkNesting(part, bytes)
      assert.equal(part.headerStart, 0)
      assert.equal(part.bodyEnd, bytes.length)
      sameTree(part, unpackParts(Buffer.from(packParts(part), 'latin1')))
    }),
    { numRuns: 5000 },
  )
})
