import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseBaseSubject } from '../../src/message/subject.ts'

const cases: readonly (readonly [subject: string, base: string, isReply: boolean])[] = [
  ['Hello', 'Hello', false],
  ['Re: Hello', 'Hello', true],
  ['RE:Hello', 'Hello', true],
  ['re : Hello', 'Hello', true],
  ['Fwd: Re: FW: Hello', 'Hello', true],
  ['Re[2]: Hello', 'Hello', true],
  ['Re [list] : Hello', 'Hello', true],
  ['[list] Re: Hello', 'Hello', true],
  ['[a] [b] Hello', 'Hello', false],
  ['[only]', '[only]', false],
  ['[a] [only]', '[only]', false],
  ['Re: [list] Hello', 'Hello', true],
  ['Hello (fwd)', 'Hello', true],
  ['Hello (fwd) (FWD) ', 'Hello', true],
  ['Hello  ', 'Hello', false],
  ['[Fwd: Hello]', 'Hello', true],
  ['[fwd: [fwd: Re: Hello (fwd)]]', 'Hello', true],
  ['Report: Hello', 'Report: Hello', false],
  ['Rep: x', 'Rep: x', false],
  ['Re:', '', true],
  ['', '', false],
  ['a   b\t c', 'a b c', false],
  ['[open Re: x', '[open Re: x', false],
  ['__proto__', '__proto__', false],
]

for (const [subject, base, isReply] of cases) {
  test(`base subject (RFC 5256 §2.1): ${subject}`, () =>
    assert.deepEqual(parseBaseSubject(subject), { text: base, isReply }))
}

test('a base subject is its own base subject', () => {
  const pieces = fc.constantFrom('re', 'fwd', 'fw', ':', '[', ']', ' ', '(fwd)', '[fwd:', 'x', '\t')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), text => {
      const { text: base } = parseBaseSubject(text.join(''))
      assert.equal(parseBaseSubject(base).text, base)
    }),
    { numRuns: 3000 },
  )
})
