import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DataReader, type LineFault } from '../../src/smtp/data-reader.ts'
import { DataWriter } from '../../src/smtp/data-writer.ts'

interface Read {
  readonly content: string
  readonly rest: string | undefined
  readonly fault: LineFault | undefined
}

function read(text: string, chunkBytes = Infinity, lines: 'note' | 'mend' = 'note'): Read {
  const reader = new DataReader(lines)
  const bytes = Buffer.from(text, 'latin1')
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, Math.min(bytes.length, at + chunkBytes))
    const end = reader.push(chunk, piece => pieces.push(piece.toString('latin1')))
    if (end !== -1)
      return { content: pieces.join(''), rest: bytes.toString('latin1', at + end), fault: reader.fault }
    if (chunkBytes === Infinity) break
  }
  return { content: pieces.join(''), rest: undefined, fault: reader.fault }
}

/** The same by splitting at the end and taking the dots out line by line. */
function naive(text: string): { content: string; rest: string | undefined } {
  const at = text.startsWith('.\r\n') ? 0 : text.indexOf('\r\n.\r\n') + 2
  const isEnded = text.startsWith('.\r\n') || at !== 1
  const raw = isEnded ? text.slice(0, at) : text
  const content = raw.replaceAll('\r\n.', '\r\n').replace(/^\./, '')
  return { content, rest: isEnded ? text.slice(at + 3) : undefined }
}

test('content ends at CRLF.CRLF and what follows is left', () => {
  assert.deepEqual(read('a\r\n..b\r\n.c\r\n.\r\nQUIT\r\n'), {
    content: 'a\r\n.b\r\nc\r\n',
    rest: 'QUIT\r\n',
    fault: undefined,
  })
  assert.deepEqual(read('.\r\nQUIT\r\n'), { content: '', rest: 'QUIT\r\n', fault: undefined })
})

const lineEnds = [
  '\r\n',
  '\n',
  '\r',
  '\r\r\n',
  '\n\r',
  '\r\n\r',
  '\n\n',
  '\r\r',
  '\0\r\n',
  '\r\0\n',
  '\x85',
  '\v',
  '\f',
  '',
]

for (const before of lineEnds) {
  for (const after of lineEnds) {
    if (before.endsWith('\r\n') && after.startsWith('\r\n')) continue
    test(`smuggling: ${JSON.stringify(`${before}.${after}`)} does not end DATA (CVE-2023-51764/5/6)`, () => {
      const text = `Subject: x\r\n\r\nfirst${before}.${after}MAIL FROM:<evil@x>\r\nmore\r\n.\r\nQUIT\r\n`
      for (const chunkBytes of [1, 2, 3, 7, Infinity]) {
        const { rest, content, fault } = read(text, chunkBytes)
        assert.equal(rest, 'QUIT\r\n')
        assert.ok(content.includes('MAIL FROM:<evil@x>'))
        const hasBare = /\r(?!\n)|(?<!\r)\n/.test(text)
        assert.equal(fault !== undefined, hasBare)
        const mended = read(text, chunkBytes, 'mend')
        assert.equal(mended.rest, 'QUIT\r\n')
        assert.ok(mended.content.includes('MAIL FROM:<evil@x>'))
      }
    })
  }
}

test('mending makes every bare CR and LF a CRLF, and still only CRLF.CRLF ends', () => {
  for (const chunkBytes of [1, 2, 3, Infinity]) {
    assert.equal(
      read('a\nb\rc\r\nd\n.\ne\n\rf\r\n.\r\n', chunkBytes, 'mend').content,
      'a\r\nb\r\nc\r\nd\r\n.\r\ne\r\n\r\nf\r\n',
    )
  }
})

const wire = fc
  .array(fc.constantFrom('\r', '\n', '.', 'a', '\r\n', '\r\n.', '\r\n.\r\n', 'bc', '\0'), { maxLength: 30 })
  .map(pieces => pieces.join(''))

test('property: however it is cut into chunks, content, end and fault are those of a naive reader', () => {
  fc.assert(
    fc.property(wire, fc.integer({ min: 1, max: 5 }), (text, chunkBytes) => {
      const expected = naive(text)
      const whole = read(text)
      const cut = read(text, chunkBytes)
      assert.equal(whole.rest, expected.rest)
      assert.equal(cut.rest, expected.rest)
      assert.equal(cut.fault, whole.fault)
      if (expected.rest === undefined) return
      assert.equal(whole.content, expected.content)
      assert.equal(cut.content, expected.content)
      assert.equal(whole.fault !== undefined, /\r(?!\n)|(?<!\r)\n/.test(expected.content))
    }),
    { numRuns: 3000 },
  )
})

test('property: mended content has no bare CR or LF', () => {
  fc.assert(
    fc.property(wire, fc.integer({ min: 1, max: 5 }), (text, chunkBytes) => {
      const { content, rest } = read(text, chunkBytes, 'mend')
      if (rest !== undefined) assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n/)
    }),
    { numRuns: 2000 },
  )
})

function write(content: string, chunkBytes: number, command: 'DATA' | 'BDAT'): string {
  const writer = new DataWriter(command)
  const bytes = Buffer.from(content, 'latin1')
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes)
    pieces.push(...writer.push(bytes.subarray(at, at + chunkBytes)))
  return Buffer.concat([...pieces, writer.end()]).toString('latin1')
}

test('property: outbound there is no bare CR or LF and one end (smuggling out)', () => {
  fc.assert(
    fc.property(wire, fc.integer({ min: 1, max: 5 }), (content, chunkBytes) => {
      const sent = write(content, chunkBytes, 'DATA')
      assert.doesNotMatch(sent, /\r(?!\n)|(?<!\r)\n/)
      assert.equal(`\r\n${sent}`.indexOf('\r\n.\r\n'), sent.length - 3)
      assert.doesNotMatch(write(content, chunkBytes, 'BDAT'), /\r(?!\n)|(?<!\r)\n/)
    }),
    { numRuns: 3000 },
  )
})

test('property: what DataWriter sends of clean content, DataReader gives back', () => {
  const lines = fc.array(fc.constantFrom('', '.', '..', 'a', '.a', 'b.'), { maxLength: 10 })
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 5 }), (parts, chunkBytes) => {
      const content = parts.map(line => `${line}\r\n`).join('')
      assert.deepEqual(read(write(content, chunkBytes, 'DATA'), chunkBytes), {
        content,
        rest: '',
        fault: undefined,
      })
      assert.equal(write(content, chunkBytes, 'BDAT'), content)
    }),
  )
})
