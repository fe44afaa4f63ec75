import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeCharset, isCharsetKnown } from '../../src/message/charset.ts'

const cases: readonly (readonly [charset: string, hex: string, text: string])[] = [
  ['utf-8', 'c3a9e282ac', 'é€'],
  ['UTF8', 'c3a9', 'é'],
  ['us-ascii', '616263', 'abc'],
  ['us-ascii', 'c3a9', 'é'],
  ['us-ascii', 'e9', 'é'],
  ['', 'e9', 'é'],
  ['iso-8859-1', 'e980', 'é€'],
  ['"ISO-8859-1"', 'e9', 'é'],
  ['iso-8859-15', 'a4', '€'],
  ['cp1252', '80', '€'],
  ['windows1251', 'cff0e8', 'При'],
  ['koi8-r', 'f0d2c9', 'При'],
  ['cp437', '82', 'é'],
  ['cp850', '82', 'é'],
  ['ibm866', '8fe0a8', 'При'],
  ['shift_jis', '8365835883 67'.replaceAll(' ', ''), 'テスト'],
  ['cp932', '836583588367', 'テスト'],
  ['euc-jp', 'a5c6a5b9a5c8', 'テスト'],
  ['iso-2022-jp', '1b2442254625392548 1b2842'.replaceAll(' ', ''), 'テスト'],
  ['cp50221', '1b24422546253925481b2842', 'テスト'],
  ['gb2312', 'd6d0cec4', '中文'],
  ['gbk', 'd6d0cec4', '中文'],
  ['gb18030', 'd6d0cec4', '中文'],
  ['hz-gb-2312', '7e7b56504e447e7d7e7e', '中文~'],
  ['big5', 'a4a4a4e5', '中文'],
  ['euc-kr', 'c7d1b1db', '한글'],
  ['ks_c_5601-1987', 'c7d1b1db', '한글'],
  ['iso-2022-kr', '1b2429430e4751315b0f21', '한글!'],
  ['iso-2022-cn', '1b2429410e56504e440f21', '中文!'],
  ['utf-7', '2b41476b2d21', 'i!'],
  ['utf-7', '4869204d6f6d202b4a6a732d21', 'Hi Mom ☻!'],
  ['utf-16', 'feff00e9', 'é'],
  ['utf-16', 'fffee900', 'é'],
  ['utf-16be', '00e9', 'é'],
  ['utf-16le', 'e900', 'é'],
  ['utf-32', '000000e9', 'é'],
  ['macintosh', '8e', 'é'],
  ['iso-8859-8-i', 'f9ece5ed', 'שלום'],
  ['windows-1256', 'e3d1cde8c7', 'مرحèا'],
  ['tis-620', 'a1', 'ก'],
  ['x-nobody-knows', 'c3a9', 'é'],
  ['x-nobody-knows', 'e9', 'é'],
  ['__proto__', 'e9', 'é'],
  ['constructor', '61', 'a'],
  ['replacement', '61', 'a'],
]

for (const [charset, hex, text] of cases) {
  test(`charset ${charset || '(none)'}: ${text}`, () =>
    assert.equal(decodeCharset(Buffer.from(hex, 'hex'), charset), text))
}

test('what is a guess is told from what is known', () => {
  for (const charset of [
    'utf-8',
    'US-ASCII',
    'iso-8859-15',
    'cp932',
    'utf-7',
    'hz',
    'iso-2022-kr',
    'cp850',
  ]) {
    assert(isCharsetKnown(charset), charset)
  }
  for (const charset of ['', 'x-unknown', 'x-nobody', '__proto__', 'toString', 'base64', 'hex', 'utf-8; x']) {
    assert(!isCharsetKnown(charset), charset)
  }
})

test('no bytes in any charset make decoding throw', () => {
  const names = [
    ...new Set(cases.map(([charset]) => charset)),
    'x',
    'base64',
    'hex',
    'ucs2',
    'internal',
    'utf-7-imap',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.uint8Array({ maxLength: 100 }), (charset, bytes) => {
      assert.equal(typeof decodeCharset(Buffer.from(bytes), charset), 'string')
    }),
    { numRuns: 5000 },
  )
})

test('any string is a charset that does no harm', () => {
  fc.assert(fc.property(fc.string(), name => typeof decodeCharset(Buffer.from('abc'), name) === 'string'))
})
