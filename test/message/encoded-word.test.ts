import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeWords, encodeAll, encodeWords } from '../../src/message/encoded-word.ts'

const cases: readonly (readonly [title: string, text: string, decoded: string])[] = [
  ['plain text stays', 'Hello', 'Hello'],
  ['Q, with underscores (RFC 2047 §4.2)', '=?iso-8859-1?q?Keld_J=F8rn_Simonsen?=', 'Keld Jørn Simonsen'],
  ['B', '=?UTF-8?B?w6nDqA==?=', 'éè'],
  ['space between words is not shown (RFC 2047 §6.2)', '=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=', 'ab'],
  ['space before text is shown', '=?ISO-8859-1?Q?a?= b', 'a b'],
  ['a character split over two words', '=?utf-8?b?4g==?= =?utf-8?b?gqw=?=', '€'],
  ['an ISO-2022-JP word', '=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=', 'テスト'],
  ['a language (RFC 2231 §5)', '=?us-ascii*en-us?q?hi?=', 'hi'],
  ['a word inside other text', 'x=?utf-8?q?=C3=A9?=y', 'xéy'],
  ['spaces in a Q word', '=?utf-8?q?a b?=', 'a b'],
  ['two words of different charsets', '=?utf-8?q?=C3=A9?= =?iso-8859-1?q?=E9?=', 'éé'],
  ['raw UTF-8 (RFC 6532)', 'caf\xc3\xa9', 'café'],
  ['raw Latin-1', 'caf\xe9', 'café'],
  ['an unknown charset is read as what it can be', '=?x-nobody?q?a=E9?=', 'aé'],
  ['an unknown encoding stays', '=?utf-8?x?abc?=', '=?utf-8?x?abc?='],
  ['a word that never ends stays', '=?utf-8?q?abc', '=?utf-8?q?abc'],
  ['a lone equals sign in Q', '=?utf-8?q?a=zb?=', 'a=zb'],
  ['a Q word that begins with an escape', '=?utf-8?Q?=41?=', 'A'],
]

for (const [title, text, decoded] of cases)
  test(`encoded words: ${title}`, () => assert.equal(decodeWords(text), decoded))

test('any text is encoded to short words of 7 bits and decoded to itself (RFC 2047 §2)', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), text => {
      for (const encoded of [encodeWords(text), encodeAll(text)]) {
        assert.match(encoded, /^[ -~]*$/)
        for (const word of encoded.split(' ')) assert(!word.startsWith('=?') || word.length <= 75)
        assert.equal(decodeWords(encoded), text)
      }
    }),
    { numRuns: 1000 },
  )
})

test('plain text is not encoded', () =>
  assert.equal(encodeWords('Re: [list] What? (1/2)'), 'Re: [list] What? (1/2)'))

test('only the words that need it are encoded', () => {
  assert.equal(encodeWords('Re: café au lait'), 'Re: =?utf-8?b?Y2Fmw6k=?= au lait')
})

test('decoding any bytes never throws', () => {
  const pieces = fc.constantFrom(
    '=?',
    '?=',
    '?',
    'utf-8',
    'q',
    'b',
    '=',
    '_',
    ' ',
    '\xe9',
    'AA',
    '*',
    'iso-2022-jp',
    '\x1b$B',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 50 }), text =>
      assert.equal(typeof decodeWords(text.join('')), 'string'),
    ),
    { numRuns: 2000 },
  )
})

test('words in ISO-2022-JP that stand beside each other are one text, without the escapes between them (RFC 2047 §6.2)', () => {
  const word = (text: string) => `=?iso-2022-jp?B?${Buffer.from(text, 'latin1').toString('base64')}?=`
  const line = `${word('\x1b$BF|\x1b(B')} ${word('\x1b$BK\\\x1b(B')} ${word('a\x1b(B\x1b$BK\\\x1b(J\x1b(B')}`
  assert.equal(decodeWords(line), '日本a本')
})
