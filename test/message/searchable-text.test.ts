import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/base/limits.ts'
import { foldCase } from '../../src/message/case-map.ts'
import { decodeHeaderValue, rawHeaderValues, searchableHeader } from '../../src/message/searchable-text.ts'
import { eachTerm } from '../../src/message/terms.ts'
import { headerLines } from '../../src/message/text.ts'

function wordsOf(text: string): Set<string> {
  const words = new Set<string>()
  eachTerm(foldCase(text), word => words.add(word))
  return words
}

/** `searchableHeader` reads a header once; this is what it stands for. */
function check(bytes: Buffer): void {
  const { text, values } = searchableHeader(bytes, bytes.length)
  const raw = [...rawHeaderValues(bytes, bytes.length)]
  const decoded = raw.map(([name, all]): [string, string[]] => [name, all.map(decodeHeaderValue)])
  assert.deepEqual([...values], decoded)
  const texts = [headerLines(bytes, 0, bytes.length), ...decoded.flatMap(([, all]) => all)]
  assert.deepEqual(wordsOf(text), wordsOf(texts.join('\n')))
}

const pieces = [
  'Subject',
  'X-A',
  'a',
  '=?',
  '=?utf-8?Q?=C3',
  '=A9?=',
  '=?latin1?b?4g==?=',
  '?',
  '?=',
  '=',
  '_',
  ':',
  ':',
  ': ',
  ' ',
  '\t',
  '\r\n',
  '\r\n',
  '\r\n ',
  '\n\t',
  '\r',
  '\0',
  '\xc3\xa9',
  '\xe9',
  '\xff',
]

test('the words and the values of a header are those that are read one by one', () => {
  const block = fc.string({ unit: fc.constantFrom(...pieces), maxLength: 40 })
  fc.assert(
    fc.property(block, text => check(Buffer.from(text, 'latin1'))),
    { numRuns: 5000 },
  )
})

test('a field that is longer than is looked at is cut at the same place', () => {
  for (const length of [-20, -10, -1, 0, 1, 20])
    check(Buffer.from(`Subject:  ${'x'.repeat(limits.message.fieldBytes + length)}\r\nTo: a\r\n\r\n`))
})
