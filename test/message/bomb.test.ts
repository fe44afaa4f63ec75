// Hostile sizes: security.md, MIME bombs; header and address size; ReDoS. Each is answered in a bounded time and memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { parseAddresses } from '../../src/message/address.ts'
import { bodyOf } from '../../src/message/body.ts'
import { parseDate } from '../../src/message/date.ts'
import { decodeWords } from '../../src/message/encoded-word.ts'
import { findParameter, parseContentType } from '../../src/message/parameters.ts'
import { parseMessage, type Part } from '../../src/message/part.ts'
import { headerFields, unpackParts } from '../../src/message/sections.ts'
import { parseBaseSubject } from '../../src/message/subject.ts'
import { summarize, type EmailSummary } from '../../src/message/summary.ts'
import { readWire } from './wire.ts'

/** A bound for a slow machine; what is quadratic takes minutes at these sizes. */
const TIME_BOUND_MS = 2500
const MEMORY_BOUND_BYTES = 400 * 1024 * 1024

function bounded<T>(run: () => T): T {
  const memory = process.memoryUsage()
  const start = performance.now()
  const result = run()
  const tookMs = performance.now() - start
  const after = process.memoryUsage()
  assert(tookMs < TIME_BOUND_MS, `took ${tookMs.toFixed(0)} ms`)
  const grown = after.heapUsed + after.external - memory.heapUsed - memory.external
  assert(grown < MEMORY_BOUND_BYTES, `grew by ${grown} bytes`)
  return result
}

function sumUp(bytes: Buffer): EmailSummary {
  const summary = bounded(() => summarize(bytes))
  readWire(summary.envelope.toString('latin1'))
  readWire(summary.bodyStructure.toString('latin1'))
  bodyOf(summary.bodyStructure)
  unpackParts(summary.parts)
  return summary
}

function depthOf(part: Part): number {
  return 1 + Math.max(0, ...part.children.map(depthOf))
}

function countOf(part: Part): number {
  return part.children.reduce((sum, child) => sum + countOf(child), 1)
}

function nestedMultiparts(depth: number): Buffer {
  const pieces: string[] = []
  for (let level = 0; level < depth; level++) {
    pieces.push(`Content-Type: multipart/mixed; boundary=b${level}x\r\n\r\n--b${level}x\r\n`)
  }
  return Buffer.from(`${pieces.join('')}\r\ninnermost`)
}

test('multiparts nested 10,000 deep are parsed to the limit of depth', () => {
  const bytes = nestedMultiparts(10_000)
  sumUp(bytes)
  assert.equal(depthOf(parseMessage(bytes)), limits.message.depth)
})

test('depth is exact at its limit and one past it', () => {
  const { depth } = limits.message
  assert.equal(depthOf(parseMessage(nestedMultiparts(depth - 1))), depth)
  assert.equal(depthOf(parseMessage(nestedMultiparts(depth))), depth)
})

test('messages in messages 10,000 deep are parsed to the limit of depth', () => {
  const bytes = Buffer.from(`${'Content-Type: message/rfc822\r\n\r\n'.repeat(10_000)}x`)
  sumUp(bytes)
  assert.equal(depthOf(parseMessage(bytes)), limits.message.depth)
})

test("100,000 parts are parsed to the limit of parts; the rest is the last one's body", () => {
  const part = '--b\r\n\r\nx\r\n'
  const bytes = Buffer.from(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(100_000)}--b--\r\n`,
  )
  const { parts } = sumUp(bytes)
  const { children } = unpackParts(parts)
  assert.equal(children.length, limits.message.parts - 1)
  assert.equal(children.at(-1)?.bodyEnd, bytes.length)
})

test('100,000 boundaries in a row, without a header between, are bounded too', () => {
  const bytes = Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n'.repeat(100_000)}`)
  sumUp(bytes)
  assert(countOf(parseMessage(bytes)) <= limits.message.parts)
})

test('30 MB of lines that almost match 99 open boundaries take linear time', () => {
  const name = 'y'.repeat(70)
  const opened = Array.from(
    { length: 99 },
    (_, level) => `Content-Type: multipart/mixed; boundary=${name}${level}\r\n\r\n--${name}${level}\r\n`,
  )
  const bytes = Buffer.concat([
    Buffer.from(`${opened.join('')}\r\n`),
    Buffer.alloc(30_000_000, `--${name}z\r\n`),
  ])
  sumUp(bytes)
})

test('100,000 parameters: the first are read', () => {
  const params = Array.from({ length: 100_000 }, (_, index) => `; p${index}=v`).join('')
  const content = bounded(() => parseContentType(`a/b${params}`))
  assert.equal(content?.params.length, limits.message.parameters)
  sumUp(Buffer.from(`Content-Type: a/b${params}\r\nContent-Disposition: x${params}\r\n\r\n`))
})

test('100,000 continuations of one parameter (RFC 2231), in either order', () => {
  const sections = Array.from({ length: 100_000 }, (_, index) => `; n*${index}=x`)
  for (const list of [sections, sections.toReversed()]) {
    const content = bounded(() => parseContentType(`a/b${list.join('')}`))
    bounded(() => findParameter(content?.params ?? [], 'n'))
  }
  assert.equal(
    findParameter(parseContentType(`a/b${sections.slice(0, 100).join('')}`)?.params ?? [], 'n'),
    'x'.repeat(100),
  )
})

test('50 MB of header: one field, many fields, and one folded line after line', () => {
  for (const piece of [
    'x',
    'X: y\r\n',
    ' y\r\n',
    'Subject: s\r\n',
    'From: a@b\r\n',
    'References: <a@b>\r\n',
    '\r',
    ':',
  ]) {
    const bytes = Buffer.concat([
      Buffer.from('X: '),
      Buffer.alloc(50_000_000, piece),
      Buffer.from('\r\n\r\nbody'),
    ])
    const summary = sumUp(bytes)
    assert.equal(summary.sizeBytes, bytes.length)
    assert(summary.envelope.length < 4 * limits.message.headerBytes)
    assert.equal(summary.preview.startsWith('body') || piece === '\r', true)
  }
})

test('HEADER.FIELDS of 10 MB of fields takes linear time', () => {
  const block = Buffer.alloc(10_000_000, 'A: b\r\nC: d\r\n')
  const start = performance.now()
  assert(headerFields(block, ['A'], false).length > 4_000_000)
  assert(performance.now() - start < 5000)
})

test('a million addresses: the first are read', () => {
  const list = bounded(() => parseAddresses('a@b.example, '.repeat(1_000_000)))
  assert(list.length <= limits.message.addresses)
  const fields = Buffer.alloc(13_000_000, 'To: a@b, c@d\r\n')
  sumUp(Buffer.concat([fields, Buffer.from('\r\n')]))
})

test('groups, comments, quotes and brackets nested 100,000 deep', () => {
  for (const piece of [
    'a:',
    '(',
    '()',
    '"',
    '<',
    '@',
    '[',
    '\\',
    '<@a',
    ':;',
    ',',
    'a(',
    '"\\',
    '.',
    'a "',
    '(\\',
    '<a@b,',
  ]) {
    bounded(() => parseAddresses(piece.repeat(100_000)))
    bounded(() => parseContentType(`a/b; x=${piece.repeat(100_000)}`))
    bounded(() => parseContentType(piece.repeat(100_000)))
    bounded(() => parseDate(piece.repeat(100_000)))
  }
  const deep = `${'('.repeat(100_000)}${')'.repeat(100_000)} a@b.example`
  bounded(() => parseAddresses(deep))
})

test('encoded words and subjects that never end take linear time', () => {
  for (const piece of [
    '=?',
    '=?a?',
    '=?a?q?',
    '=?a?q??',
    '?=',
    '=?utf-8?q?a?=',
    '=?utf-8?q?a?= ',
    '=?x?q?a?=',
  ]) {
    bounded(() => decodeWords(piece.repeat(100_000 / piece.length)))
  }
  for (const piece of ['re:', '[', '[a]', '[fwd:', '(fwd)', 'fwd [a]', 're[', ' ', ']', '[a] re']) {
    bounded(() => parseBaseSubject(piece.repeat(100_000)))
  }
  bounded(() => parseBaseSubject(`${'[fwd:'.repeat(50_000)}x${']'.repeat(50_000)}`))
})

test('a message that holds the beginning of itself again and again', () => {
  const header =
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n'
  sumUp(Buffer.from(header.repeat(10_000)))
  const digest = 'Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n'
  sumUp(Buffer.from(digest.repeat(10_000)))
})

test('a body of 20 MB without a line end, and one of line ends alone', () => {
  sumUp(Buffer.concat([Buffer.from('Subject: x\r\n\r\n'), Buffer.alloc(20_000_000, 'x')]))
  sumUp(Buffer.concat([Buffer.from('Subject: x\r\n\r\n'), Buffer.alloc(20_000_000, '\r\n')]))
})
